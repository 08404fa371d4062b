//! Keys of our own beside those of the line editor.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::{
    Cmd, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, Helper, KeyCode, KeyEvent, Modifiers,
    RepeatCount,
};

/// What a key asks for that the line editor cannot do: the line is given back, and this with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// To go on in the user's own editor.
    Editor,
    /// Something that is shown; the text before and after the cursor comes back afterwards.
    Show { what: Shown, before: String, after: String },
}

/// What a key shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Help on a word.
    Help(Option<String>),
    /// What a command of the shell says.
    Command(String),
    /// The last result in another view.
    OtherView,
}

/// Where keys leave what they ask for.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    asked: Arc<Mutex<Option<Asked>>>,
}

impl Requests {
    /// What was asked for with the last line.
    pub fn take(&self) -> Option<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, asked: Asked) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
    }
}

/// Ends the line and asks for something.
struct Asking {
    requests: Requests,
    ask: fn(&EventContext<'_>) -> Asked,
}

impl ConditionalEventHandler for Asking {
    fn handle(&self, _event: &Event, _times: RepeatCount, _positive: bool, context: &EventContext<'_>) -> Option<Cmd> {
        self.requests.put((self.ask)(context));
        Some(Cmd::AcceptLine)
    }
}

/// Binds the keys.
pub fn bind<H: Helper, I: rustyline::history::History>(editor: &mut Editor<H, I>) -> Requests {
    let requests = Requests::default();
    let asking = |ask| EventHandler::Conditional(Box::new(Asking { requests: requests.clone(), ask }));
    let f = |number| KeyEvent(KeyCode::F(number), Modifiers::NONE);
    editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
    // Whatever the grammar thinks of it.
    editor.bind_sequence(KeyEvent::ctrl('J'), Cmd::AcceptLine);
    editor.bind_sequence(f(5), Cmd::AcceptLine);
    editor.bind_sequence(Event::KeySeq(vec![KeyEvent::ctrl('X'), KeyEvent::ctrl('E')]), asking(|_| Asked::Editor));
    editor.bind_sequence(f(1), asking(|context| show(context, Shown::Help(word_at(context.line(), context.pos())))));
    editor.bind_sequence(f(2), asking(|context| show(context, Shown::Command(".timeline".to_owned()))));
    editor.bind_sequence(f(3), asking(|context| show(context, Shown::Command(".fields".to_owned()))));
    editor.bind_sequence(f(4), asking(|context| show(context, Shown::OtherView)));
    editor.bind_sequence(
        f(6),
        asking(|context| show(context, Shown::Command(format!(".explain {}", context.line().trim())))),
    );
    requests
}

fn show(context: &EventContext<'_>, what: Shown) -> Asked {
    let (before, after) = context.line().split_at_checked(context.pos()).unwrap_or((context.line(), ""));
    Asked::Show { what, before: before.to_owned(), after: after.to_owned() }
}

/// The word under the cursor, or before it.
fn word_at(line: &str, position: usize) -> Option<String> {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let (before, after) = line.split_at_checked(position)?;
    let before = before.trim_end_matches(|c: char| after.is_empty() && !in_word(c));
    let begin = before.rfind(|c| !in_word(c)).map_or(before, |at| {
        let rest = before.get(at..).unwrap_or_default();
        rest.trim_start_matches(|c| !in_word(c))
    });
    let end = after.find(|c| !in_word(c)).unwrap_or(after.len());
    let word = format!("{begin}{}", after.get(..end).unwrap_or_default());
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_word_at_the_cursor() {
        for (line, position, word) in [
            ("| stats count", 4, Some("stats")),
            ("| stats count", 2, Some("stats")),
            ("| stats ", 8, Some("stats")),
            ("| eval a=lower(", 15, Some("lower")),
            ("array:sort(", 3, Some("array:sort")),
            ("", 0, None),
            ("| ", 2, None),
        ] {
            assert_eq!(word_at(line, position).as_deref(), word, "{line} {position}");
        }
    }

    proptest! {
        #[test]
        fn any_line_will_do(line in any::<String>(), position in 0_usize..50) {
            word_at(&line, position);
        }
    }
}
