//! What `--data` names: a mistyped directory is refused and not made, one of one's own is begun on demand.

use std::path::Path;

use crate::support::minsheng;

#[test]
fn a_mistyped_data_directory_is_named_and_not_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    std::fs::write(path.join("schools.csv"), "编号,学校名称,区划代码,学段\n").expect("written");
    std::fs::create_dir(path.join("empty")).expect("made");
    let before = listed(path);
    for data in ["minsheng-dat", "empty"] {
        for command in [&["report"][..], &["verify"], &["import", "schools", "schools.csv"]] {
            let (code, out, error) = minsheng(path, &[command, &["--data", data, "--lang", "en"]].concat());
            assert_eq!(code, 1, "{command:?}: {out}");
            assert_eq!(out, "", "{command:?}");
            assert!(error.contains(&format!("{data} is no data directory")), "{command:?}: {error}");
            let (code, _, error) = minsheng(path, &[command, &["--data", data, "--lang", "zh"]].concat());
            assert_eq!(code, 1, "{command:?}");
            assert!(error.contains(&format!("{data} 不是数据目录")) && error.contains("--new"), "{command:?}: {error}");
        }
    }
    assert_eq!(listed(path), before);
    assert_eq!(listed(&path.join("empty")), Vec::<String>::new());

    // A directory of one's own is begun on demand, and is there from then on.
    let import = ["--lang", "en", "import", "schools", "schools.csv", "--data", "own"];
    for (more, expected) in [(None, 1), (Some("--new"), 0), (None, 0), (Some("--new"), 0)] {
        let words: Vec<_> = import.into_iter().chain(more).collect();
        let (code, out, error) = minsheng(path, &words);
        assert_eq!(code, expected, "{more:?}: {out}{error}");
    }
    let (code, out, error) = minsheng(path, &["--lang", "en", "verify", "--data", "own"]);
    assert_eq!(code, 0, "{out}{error}");
}

fn listed(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("it reads").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
