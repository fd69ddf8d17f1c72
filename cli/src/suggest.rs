//! What somebody may have meant.

/// `did you mean ..` for the known word nearest to a misspelt one; else some of the known words.
pub(crate) fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let word = word.to_lowercase();
    // A few wrong letters first; then what begins alike, for words that were cut short.
    let misspelt = known
        .iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .min();
    if let Some((distance, candidate)) = misspelt
        && distance <= (word.chars().count() / 4).max(2)
    {
        return format!("did you mean `{candidate}`?");
    }
    let containing: Vec<&str> = known
        .iter()
        .filter(|candidate| candidate.to_lowercase().contains(&*word))
        .copied()
        .collect();
    if !containing.is_empty() {
        return listed("did you mean one of", &containing);
    }
    let alike = known
        .iter()
        .map(|candidate| {
            let likeness = strsim::jaro_winkler(&word, &candidate.to_lowercase());
            (likeness, candidate)
        })
        .max_by(|(a, one), (b, other)| a.total_cmp(b).then(other.cmp(one)));
    match alike {
        Some((likeness, candidate)) if likeness > 0.85 => format!("did you mean `{candidate}`?"),
        _ => listed("known here", &known),
    }
}

fn listed(what: &str, words: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = words[..words.len().min(SHOWN)].join(", ");
    match words.len().saturating_sub(SHOWN) {
        0 if words.is_empty() => format!("{what}: none"),
        0 => format!("{what}: {shown}"),
        more => format!("{what}: {shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_offered_and_far_ones_listed() {
        let known = ["grants/locked-revoke", "grants/quiet", "dags/once"];
        let check = |word: &str, told: &str| assert_eq!(suggest(word, known.into_iter()), told);
        check(
            "grants/lockd-revoke",
            "did you mean `grants/locked-revoke`?",
        );
        check("grants/lockd", "did you mean `grants/locked-revoke`?");
        check("GRANTS/QUIET", "did you mean `grants/quiet`?");
        check(
            "grants",
            "did you mean one of: grants/locked-revoke, grants/quiet",
        );
        check(
            "zebra",
            "known here: grants/locked-revoke, grants/quiet, dags/once",
        );
        assert_eq!(suggest("x", [].into_iter()), "known here: none");
    }
}
