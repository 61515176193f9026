/// An amount in US dollars, as a range.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amount {
    /// Lower bound; `None` if only the upper one is known.
    pub least: Option<f64>,
    /// Upper bound; `None` if only the lower one is known.
    pub most: Option<f64>,
}

impl Amount {
    /// An amount without uncertainty.
    pub fn exactly(dollars: f64) -> Self {
        Amount { least: Some(dollars), most: Some(dollars) }
    }

    /// The amount for a report: `$1.23`, `$1.23 to $7.37`, `at most $7.37`.
    pub fn describe(self) -> String {
        match (self.least.map(dollars), self.most.map(dollars)) {
            (Some(least), Some(most)) if least == most => least,
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => "unknown".to_owned(),
        }
    }
}

/// Formats US dollars with cents, and amounts below a cent with two significant digits.
pub fn dollars(amount: f64) -> String {
    if amount == 0.0 {
        return "$0".to_owned();
    }
    if amount >= 0.01 || !amount.is_finite() {
        return format!("${amount:.2}");
    }
    // At most twelve decimal places.
    let places = (1..=12).find(|places| amount * 10f64.powi(*places) >= 1.0).unwrap_or(12);
    let text = format!("${amount:.*}", places.unsigned_abs() as usize + 1);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Formats a published price without trailing zeros.
pub(super) fn price(amount: f64) -> String {
    let text = format!("${amount:.10}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_in_words() {
        for (amount, text) in
            [(0.0, "$0"), (0.6144, "$0.61"), (1234.5, "$1234.50"), (0.0025, "$0.0025"), (0.000_051_2, "$0.000051")]
        {
            assert_eq!(dollars(amount), text);
        }
        assert_eq!(price(0.00099), "$0.00099");
        assert_eq!(price(0.05), "$0.05");
        assert_eq!(Amount { least: Some(1.2288), most: Some(7.3728) }.describe(), "$1.23 to $7.37");
        assert_eq!(Amount { least: None, most: Some(7.3728) }.describe(), "at most $7.37");
        assert_eq!(Amount::exactly(0.61).describe(), "$0.61");
    }
}
