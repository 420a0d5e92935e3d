//! The contracts as files, for whoever builds a client of them.

include!(concat!(env!("OUT_DIR"), "/published.rs"));

/// The encoded descriptor set of Arrow Flight, which the feed speaks, for reflection.
pub const FLIGHT_DESCRIPTOR_BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/flight.bin"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_files_are_all_contracts_and_what_they_import() {
        let published: Vec<&str> = CONTRACTS.iter().map(|(path, _)| *path).collect();
        for file in crate::descriptors().files() {
            // Every compiler of contracts brings these.
            let known = file.name().starts_with("google/protobuf/") || published.contains(&file.name());
            assert!(known, "{} is not published", file.name());
            for import in file.dependencies().filter(|import| !import.name().starts_with("google/protobuf/")) {
                assert!(published.contains(&import.name()), "{} imports {}", file.name(), import.name());
            }
        }
        assert!(published.iter().any(|path| path.starts_with("minsheng/returns/")));
        for (path, text) in CONTRACTS {
            assert!(text.contains("syntax = \"proto"), "{path}");
        }
    }
}
