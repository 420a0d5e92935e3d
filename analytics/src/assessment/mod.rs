//! How progress is judged.
