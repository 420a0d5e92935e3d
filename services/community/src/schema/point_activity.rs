// Written by `just gen` from `proto/minsheng/community/v1/point_activity_service.proto`: change the contract instead.

//! 服务点月报: the table `point_activities` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::community::v1 as pb;

minsheng_kit::register_table! {
    /// What one point did in one month.
    point_activities => PointActivityRecord {
        /// The point, `service_points/{id}`.
        service_point: Text = String,
        /// Kind of the point.
        kind: BigInt = i64,
        /// The month.
        month_from: BigInt = i64,
        /// Days open.
        days_open: BigInt = i64,
        /// Last day of the month on which somebody was served.
        last_served_on: Nullable<BigInt> = Option<i64>,
        /// People served.
        people_served: BigInt = i64,
        /// Meals, visits or episodes.
        services: BigInt = i64,
        /// Of them at a reduced price.
        discounted_services: BigInt = i64,
        /// Taken in, in fen.
        revenue_fen: BigInt = i64,
    }
}

impl Declared for PointActivityRecord {
    type Resource = pb::PointActivity;
    type Row = pb::PointActivityRow;

    const FIELDS: &'static [&'static str] = &[
        "service_point",
        "kind",
        "month",
        "days_open",
        "last_served_on",
        "people_served",
        "services",
        "discounted_services",
        "revenue_fen",
    ];

    fn read(resource: &pb::PointActivity, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            service_point: declared::reference_id(
                "service_point",
                "service_points",
                &resource.service_point,
                violations,
            ),
            kind: declared::enum_field::<pb::ServicePointKind>("kind", resource.kind, violations) as i64,
            month_from: declared::required_month("month", resource.month.as_ref(), violations),
            days_open: resource.days_open,
            last_served_on: declared::optional_day("last_served_on", resource.last_served_on.as_ref(), violations),
            people_served: resource.people_served,
            services: resource.services,
            discounted_services: resource.discounted_services,
            revenue_fen: resource.revenue_fen,
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::PointActivity, Error> {
        Ok(pb::PointActivity {
            service_point: declared::reference("service_points", &self.service_point),
            kind: declared::enum_number(self.kind),
            month: declared::month(self.month_from),
            days_open: self.days_open,
            last_served_on: self.last_served_on.and_then(declared::date),
            people_served: self.people_served,
            services: self.services,
            discounted_services: self.discounted_services,
            revenue_fen: self.revenue_fen,
            ..pb::PointActivity::default()
        })
    }

    fn row(&self) -> pb::PointActivityRow {
        pb::PointActivityRow {
            service_point: self.service_point.clone(),
            kind: declared::enum_number(self.kind),
            month_from: declared::date(self.month_from),
            last_served_on: self.last_served_on.and_then(declared::date),
            days_open: self.days_open,
            people_served: self.people_served,
            services: self.services,
            discounted_services: self.discounted_services,
            revenue_fen: self.revenue_fen,
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        vec![declared::Named {
            field: "service_point",
            collection: "service_points",
            same_county: true,
            id: &self.service_point,
        }]
    }

    fn natural_id(resource: &pb::PointActivity, _: RuleContext<'_>) -> Option<String> {
        Some(declared::natural_key(&[
            declared::id_within("service_points", &resource.service_point),
            &declared::month_part(resource.month.as_ref()?),
        ]))
    }

    fn take_field(field: &str, from: &pb::PointActivity, to: &mut pb::PointActivity) -> bool {
        match field {
            "service_point" => to.service_point.clone_from(&from.service_point),
            "kind" => to.kind = from.kind,
            "month" => to.month = from.month,
            "days_open" => to.days_open = from.days_open,
            "last_served_on" => to.last_served_on = from.last_served_on,
            "people_served" => to.people_served = from.people_served,
            "services" => to.services = from.services,
            "discounted_services" => to.discounted_services = from.discounted_services,
            "revenue_fen" => to.revenue_fen = from.revenue_fen,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::PointActivity) {}

    fn restore_decided(&mut self, _: &pb::PointActivity) {}
}
