//! What to say about a name that is not known.

/// The known name a person most likely meant, if one is close.
pub(crate) fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let tail = |full: &str| full.rsplit('/').next() == Some(name);
    let near = |full: &&'a str| {
        let distance = strsim::osa_distance(&name.to_lowercase(), &full.to_lowercase());
        // A third of a name may be mistyped, which for names like `g1` is nothing: every other such
        // name would be close.
        (distance <= full.chars().count() / 3).then_some((distance, *full))
    };
    known
        .iter()
        .copied()
        .find(|full| tail(full) && *full != name)
        .or_else(|| known.iter().filter_map(near).min().map(|(_, full)| full))
}

/// `did you mean ...?` when a known name is close, and the names there are.
pub fn suggest(name: &str, known: &[&str]) -> String {
    let mut help = String::new();
    if let Some(meant) = closest(name, known) {
        help = format!("did you mean `{meant}`?\n");
    }
    if !known.is_empty() {
        help += &wrapped("known here: ", known);
    }
    help
}

/// A list that breaks between names; terminals and reports would break inside of them, at dashes.
fn wrapped(head: &str, names: &[&str]) -> String {
    const WIDTH: usize = 84;
    let (mut text, mut column) = (head.to_owned(), head.len());
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { "," } else { "" };
        if column + name.len() > WIDTH {
            text.truncate(text.trim_end().len());
            text.push('\n');
            column = 0;
        }
        text += name;
        text += comma;
        text.push(' ');
        column += name.len() + comma.len() + 1;
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whether a story may call something this: a lower-case letter, then letters, digits and dashes.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_name_is_found_and_a_far_one_is_not() {
        let known = ["revoke", "remove", "g1", "grants/locked-revoke"];
        let table = [
            ("revok", Some("revoke")),
            ("Remove", Some("remove")),
            ("g2", None),
            ("revkoe", Some("revoke")),
            ("locked-revoke", Some("grants/locked-revoke")),
            ("passport", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(closest(name, &known), expected, "{name}");
        }
    }
}
