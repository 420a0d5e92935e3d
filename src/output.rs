//! The only place that prints, and the exit codes.
#![expect(clippy::print_stdout, reason = "this is the command line: what it says goes to standard output")]

use std::process::ExitCode;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Something failed.
pub const EXIT_FAILED: u8 = 1;
/// The command line was not understood.
pub const EXIT_USAGE: u8 = 2;
/// The work was done, but rows or records were refused.
pub const EXIT_REFUSED: u8 = 3;

/// Prints a line on standard output.
pub fn line(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}

/// Prints a line on standard error.
pub fn error(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Returns the exit code of work that refused so many rows.
pub fn code_for_refused(refused: u64) -> ExitCode {
    if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_REFUSED) }
}

/// Progress bars, one below the other; silent where nobody looks.
#[derive(Clone, Debug, Default)]
pub struct Progress(MultiProgress);

impl Progress {
    /// Shows nothing, for tests.
    pub fn hidden() -> Self {
        Self(MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden()))
    }

    /// Adds a bar.
    pub fn bar(&self, label: &str, total: u64) -> ProgressBar {
        let bar = self.0.add(ProgressBar::new(total));
        let style =
            ProgressStyle::with_template("  {prefix} {wide_bar:.green} {human_pos:>9}/{human_len:<9} {per_sec}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_prefix(pad(label, 16));
        bar
    }

    /// Adds a line that says what is under way.
    pub fn spinner(&self, message: String) -> ProgressBar {
        let bar = self.0.add(ProgressBar::new_spinner());
        bar.set_message(message);
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        bar
    }
}

/// Pads to a width on the screen, where a Chinese character takes two cells.
pub fn pad(text: &str, width: usize) -> String {
    let cells: usize = text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(width.saturating_sub(cells)))
}
