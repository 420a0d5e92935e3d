//! Analytics beside a department's running service.

mod reconciled;
mod restored;
