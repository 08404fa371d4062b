//! The README's examples do what the README shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::Command;

/// Each command of a `console` block with the output that follows it.
fn examples(readme: &str) -> Vec<(String, String)> {
    let mut examples: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match (inside, line) {
            (_, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match line.strip_prefix("$ ") {
                Some(command) => examples.push((command.to_string(), String::new())),
                None => {
                    let (_, output) = examples.last_mut().expect("a block begins with a command");
                    output.push_str(line);
                    output.push('\n');
                }
            },
            _ => {}
        }
    }
    examples
}

/// Each search of a `text` block that begins at the shell's prompt, with what is shown of it.
fn sessions(readme: &str) -> Vec<(String, String)> {
    let blocks = readme.split("```text\nspl> ").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter_map(|block| block.split_once('\n')).map(|(search, shown)| (search.into(), shown.into())).collect()
}

#[test]
fn the_shell_says_what_the_readme_shows() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let sessions = sessions(&readme);
    assert!(!sessions.is_empty(), "the README lost its session");
    let folder = tempfile::tempdir().unwrap();
    let spelunk = || {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_spelunk"));
        command.current_dir(folder.path()).env("COLUMNS", "120");
        command
    };
    assert!(spelunk().args(["demo", "--keep", "logs"]).output().unwrap().status.success());
    for (search, shown) in sessions {
        let script = format!("{search};\n.why\n");
        let output = spelunk().args(["repl", "-q", "logs"]).write_stdin(script).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), shown, "{search}");
    }
}

#[test]
fn the_examples_of_the_readme_run() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let examples = examples(&readme);
    assert!(examples.len() > 3, "the README lost its examples");
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_spelunk"));
    let path = std::env::join_paths(
        std::iter::once(binary.parent().unwrap().to_path_buf())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    for (command, expected) in examples {
        let output =
            Command::new("sh").args(["-c", &command]).env("PATH", &path).current_dir(folder.path()).output().unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        assert_eq!(found, expected, "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
