//! `relevancy`: how well events fit the words searched for.
//!
//! Sources: Splunk Search Reference, "relevancy"; S. Robertson and H. Zaragoza, "The Probabilistic Relevance
//! Framework: BM25 and Beyond" (2009).

use spelunk_grammar::Span;
use spelunk_grammar::spl::search::SearchExpression;

use super::annotated::{Added, Annotated};
use super::frame::Frame;
use super::{PlanResult, Planner};
use crate::methods::coded;

/// How soon more of the same word stops to count, and how much long texts are discounted.
const SATURATION: f64 = 1.2;
const DISCOUNT: f64 = 0.75;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, span: Span) -> PlanResult<()> {
    super::existing(frame, "_raw", span);
    let wanted = frame.keywords.clone();
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    // For each event how often it has each word, and how many words it has.
    let counted: Vec<Option<(Vec<f64>, f64)>> = rows
        .column("_raw")
        .map(|value| {
            let (mut counts, mut length) = (vec![0.0; wanted.len()], 0.0);
            words(&coded::text(&value)?).for_each(|word| {
                length += 1.0;
                if let Some(count) = wanted.iter().position(|wanted| *wanted == word).and_then(|at| counts.get_mut(at))
                {
                    *count += 1.0;
                }
            });
            Some((counts, length))
        })
        .collect();
    let scores = scores(&counted, wanted.len());
    rows.resume(frame, vec![Added::numbers("relevancy", scores)], None)
}

fn scores(counted: &[Option<(Vec<f64>, f64)>], words: usize) -> Vec<Option<f64>> {
    let events = counted.iter().flatten().count() as f64;
    let mean = counted.iter().flatten().map(|(_, length)| length).sum::<f64>() / events.max(1.0);
    let weights: Vec<f64> = (0..words)
        .map(|word| {
            let has = |counts: &Vec<f64>| counts.get(word).is_some_and(|count| *count > 0.0);
            let having = counted.iter().flatten().filter(|(counts, _)| has(counts)).count() as f64;
            // With one added inside, so that a word that most events have counts a little and not less than nothing.
            (1.0 + (events - having + 0.5) / (having + 0.5)).ln()
        })
        .collect();
    let score = |(counts, length): &(Vec<f64>, f64)| {
        let relative = if mean > 0.0 { length / mean } else { 1.0 };
        let soon = SATURATION * (1.0 - DISCOUNT + DISCOUNT * relative);
        counts.iter().zip(&weights).map(|(count, weight)| weight * count * (SATURATION + 1.0) / (count + soon)).sum()
    };
    counted.iter().map(|event| event.as_ref().map(score)).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The words that a search looks for in the text of events, added to those of before.
pub fn keywords(expression: &SearchExpression, into: &mut Vec<String>) {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => {
            parts.iter().for_each(|part| keywords(part, into))
        }
        SearchExpression::Term(literal) if !literal.text.contains('*') => {
            for word in words(&literal.text) {
                if !into.contains(&word) {
                    into.push(word);
                }
            }
        }
        SearchExpression::Term(_)
        | SearchExpression::Not(_)
        | SearchExpression::Comparison(_)
        | SearchExpression::In(_)
        | SearchExpression::Subsearch(_)
        | SearchExpression::Macro(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_in_short_texts_count_most() {
        // Of three events one has the first word, two the second.
        let counted = [Some((vec![1.0, 1.0], 2.0)), Some((vec![0.0, 1.0], 2.0)), Some((vec![0.0, 1.0], 8.0)), None];
        let scores = scores(&counted, 2);
        assert!(scores[0] > scores[1] && scores[1] > scores[2], "{scores:?}");
        assert_eq!(scores[3], None);
        // By hand: ln(1 + 0.5/3.5) for a word that all three have, once, in a text half as long as the mean of 4.
        let expected = (1.0 + 0.5 / 3.5_f64).ln() * 2.2 / (1.0 + 1.2 * (0.25 + 0.75 * 0.5));
        assert!((scores[1].unwrap() - expected).abs() < 1e-12);
    }
}
