//! Figures with their units, for people.

/// Microseconds as `830 us`, `12.3 ms`, `4.56 s`.
pub(super) fn micros(value: f64) -> String {
    match value {
        v if !v.is_finite() => "-".to_owned(),
        v if v < 10.0 => format!("{v:.2} us"),
        v if v < 100.0 && v.fract() > 0.0 => format!("{v:.1} us"),
        v if v < 1_000.0 => format!("{v:.0} us"),
        v if v < 10_000.0 => format!("{:.2} ms", v / 1e3),
        v if v < 100_000.0 => format!("{:.1} ms", v / 1e3),
        v if v < 1_000_000.0 => format!("{:.0} ms", v / 1e3),
        v => format!("{:.2} s", v / 1e6),
    }
}

/// Bytes as `512 KiB`, `34.1 MiB`, `1.20 GiB`; negative where memory shrank.
pub(super) fn bytes(value: f64) -> String {
    let magnitude = value.abs();
    match magnitude {
        v if !v.is_finite() => "-".to_owned(),
        v if v < 1024.0 => format!("{value:.0} B"),
        v if v < 1024.0 * 1024.0 => format!("{:.1} KiB", value / 1024.0),
        v if v < 1024.0 * 1024.0 * 1024.0 => format!("{:.1} MiB", value / 1024.0 / 1024.0),
        _ => format!("{:.2} GiB", value / 1024.0 / 1024.0 / 1024.0),
    }
}

/// Bits a second as `832 kbit/s`, `12.3 Mbit/s`, `4.56 Gbit/s`.
pub(super) fn bitrate(value: f64) -> String {
    match value {
        v if !v.is_finite() => "-".to_owned(),
        v if v < 1e3 => format!("{v:.0} bit/s"),
        v if v < 1e6 => format!("{:.0} kbit/s", v / 1e3),
        v if v < 1e9 => format!("{:.1} Mbit/s", v / 1e6),
        v => format!("{:.2} Gbit/s", v / 1e9),
    }
}

/// A share of 1 as `0.52 %`; what is not nothing does not look like it, what is not all neither.
pub(super) fn percent(value: f64) -> String {
    let percent = value * 100.0;
    if !percent.is_finite() {
        "-".to_owned()
    } else if percent == 0.0 || percent == 100.0 {
        format!("{percent:.0} %")
    } else if percent < 0.01 || percent > 99.99 && percent < 100.0 {
        format!("{percent:.5} %")
    } else {
        format!("{percent:.2} %")
    }
}

/// A count with spaces between thousands: `1 234 567`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A figure of no unit: as a count from 100 on, with decimals below.
pub(super) fn plain(value: f64) -> String {
    if !value.is_finite() {
        "-".to_owned()
    } else if value >= 100.0 || value.fract() == 0.0 && value >= 0.0 {
        count(value.round() as u64)
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits_and_a_unit() {
        assert_eq!(micros(2.345), "2.35 us");
        assert_eq!(micros(830.4), "830 us");
        assert_eq!(micros(12_345.0), "12.3 ms");
        assert_eq!(micros(60_000_000.0), "60.00 s");
        assert_eq!(micros(f64::NAN), "-");
        assert_eq!(bytes(512.0 * 1024.0), "512.0 KiB");
        assert_eq!(bytes(-2_048.0), "-2.0 KiB");
        assert_eq!(bitrate(4_560_000_000.0), "4.56 Gbit/s");
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(count(999), "999");
        assert_eq!(plain(12.345), "12.35");
        assert_eq!(plain(12_345.6), "12 346");
    }

    #[test]
    fn a_little_loss_does_not_read_as_none() {
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.000_001), "0.00010 %");
        assert_eq!(percent(0.999_99), "99.99900 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0301), "3.01 %");
    }
}
