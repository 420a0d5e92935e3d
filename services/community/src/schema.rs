//! The tables of the community department's registers. Each column says what it holds; the migrations create them.

minsheng_kit::register_table! {
    /// Service points of every kind: where they are, whom they serve, since when.
    service_points => ServicePointRecord {
        /// Name.
        title: Text = String,
        /// Number of the contract's `ServicePointKind`.
        kind: BigInt = i64,
        /// Number of the contract's `OperatorKind`.
        operator: BigInt = i64,
        /// Number of the contract's `AreaLevel`.
        level: BigInt = i64,
        /// Township, nine digits; empty when it does not matter.
        township_code: Text = String,
        /// Village or community, twelve digits; empty when it does not matter.
        village_code: Text = String,
        /// Named site of pressurised oxygen; empty for other kinds.
        site_code: Text = String,
        /// Seats, beds or places.
        capacity: BigInt = i64,
        /// Area, in hundredths of a square metre.
        floor_area_dm2: BigInt = i64,
        /// True when open free or at low charge.
        free_or_low_charge: Bool = bool,
        /// True when billed at household prices for water, power and gas.
        household_utility_prices: Bool = bool,
        /// True when it has an agreement with a medical institution.
        medical_agreement: Bool = bool,
        /// Opening time a week, in minutes.
        weekly_opening_minutes: BigInt = i64,
        /// First day in service; absent while planned.
        opened_on: Nullable<BigInt> = Option<i64>,
        /// First day on which it was no longer in service.
        closed_on: Nullable<BigInt> = Option<i64>,
    }
}

minsheng_kit::register_table! {
    /// What each service point did in each month.
    point_activities => PointActivityRecord {
        /// Id of the service point.
        service_point: Text = String,
        /// Number of the contract's `ServicePointKind`: the point's own.
        kind: BigInt = i64,
        /// First day of the month.
        month_from: BigInt = i64,
        /// Days open.
        days_open: BigInt = i64,
        /// Last day of the month on which somebody was served; absent when nobody was.
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

minsheng_kit::register_table! {
    /// The prices that elders pay at meal points.
    meal_prices => MealPriceRecord {
        /// Sealed identity number.
        resident: Binary = Vec<u8>,
        /// Keyed blind index of the person.
        resident_key: Binary = Vec<u8>,
        /// Pseudonym of the person in the department's datasets.
        person: Text = String,
        /// Id of the meal point.
        service_point: Text = String,
        /// Full price of a meal, in fen.
        base_price_fen: BigInt = i64,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// Number of the contract's `PriceOutcome`.
        outcome: BigInt = i64,
        /// Number of social security's `AssistanceCategory`; 0 until it has answered.
        assistance_category: BigInt = i64,
        /// Price to pay, in fen: the full price until social security has answered.
        price_fen: BigInt = i64,
        /// Day of the decision; absent until social security has answered.
        decided_on: Nullable<BigInt> = Option<i64>,
    }
}

minsheng_kit::register_table! {
    /// Affordable housing projects, their homes by stage.
    housing_projects => HousingProjectRecord {
        /// Name of the project.
        title: Text = String,
        /// Number of the contract's `HousingKind`.
        kind: BigInt = i64,
        /// Year of the plan.
        plan_year: BigInt = i64,
        /// Homes planned.
        units_planned: BigInt = i64,
        /// Homes started, those finished included.
        units_started: BigInt = i64,
        /// Homes acquired instead of built.
        units_acquired: BigInt = i64,
        /// Homes finished.
        units_completed: BigInt = i64,
        /// Homes let or sold.
        units_let: BigInt = i64,
    }
}
