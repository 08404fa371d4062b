//! What keys do.

use std::fmt::Write as _;

/// Keys, and what they do. Those of the line editor that most people know are left out.
const KEYS: [(&str, &str); 18] = [
    ("Enter", "run the search if it is complete, else go on in the next line; on an empty line run it anyway"),
    ("Alt-Enter", "begin a new line"),
    ("Ctrl-J, F5", "run what is there, complete or not"),
    ("Tab", "complete a command, option, function, field or value; again for all of them"),
    ("Right, Ctrl-E", "take the hint at the end of the line"),
    ("Up, Down", "move through the lines, then through what was typed before"),
    ("Ctrl-R, Ctrl-S", "find something typed before, after"),
    ("Alt-.", "the last word of what was typed before"),
    ("Ctrl-C", "clear the line; while a search runs, end it and keep the rows that came, again to give it up"),
    ("Ctrl-D", "leave, where the line is empty"),
    ("Ctrl-L", "clear the screen"),
    ("Ctrl-_", "undo"),
    ("F1", "explain the word at the cursor"),
    ("F2", "when the events of the last result happened (.timeline)"),
    ("F3", "the fields of the last result (.fields)"),
    ("F4", "the last result one field a line, and back (.set view)"),
    ("F6", "how the search that is being typed is understood and run (.explain)"),
    ("Ctrl-X Ctrl-E", "go on in $VISUAL or $EDITOR"),
];

/// All of them.
pub fn help() -> String {
    let mut out = String::new();
    for (key, does) in KEYS {
        let _ = writeln!(out, "  {key:<15} {does}");
    }
    out
}
