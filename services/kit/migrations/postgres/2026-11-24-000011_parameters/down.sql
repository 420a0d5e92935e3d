DELETE FROM parameters AS earlier USING parameters AS later
WHERE earlier.key = later.key AND earlier.area = later.area AND earlier.effective_from = later.effective_from
  AND earlier.position < later.position;
ALTER TABLE parameters DROP COLUMN position;
ALTER TABLE parameters ADD PRIMARY KEY (key, area, effective_from);
