-- Does a decision name the institution? Asked when the institution is withdrawn.
CREATE INDEX result_decisions_by_performing ON result_decisions (performing_institution);
CREATE INDEX result_decisions_by_receiving ON result_decisions (receiving_institution);
