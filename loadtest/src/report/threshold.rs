//! What a run is judged by: `loss < 0.5%`, `added_delay_p99 < 20ms`.

use super::outcome::Outcome;
use super::units;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Dimension of a figure, which says what units its limit may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    /// Of 1: `0.5%` or `0.005`.
    Share,
    /// In microseconds: `us`, `ms`, `s`, always with its unit.
    Time,
    /// In bytes: `B`, `KiB`, `MiB`, `GiB`, always with its unit.
    Memory,
    /// In bits a second: `bit/s`, `kbit/s`, `Mbit/s`, `Gbit/s`, always with its unit.
    Bitrate,
    /// Without unit.
    Number,
}

/// Reads a figure of the outcome; `None`: it was not measured.
type Read = fn(&Outcome) -> Option<f64>;

/// What can be judged: name, dimension, meaning, where it is found.
const MEASURES: &[(&str, Dimension, &str, Read)] = {
    use Dimension::{Bitrate, Memory, Number, Share, Time};
    &[
        ("loss", Share, "packets due that never came, resent ones counted as come", |o| {
            o.media.loss
        }),
        ("delivered", Share, "packets due that came", |o| o.media.delivered_share),
        ("stamped_loss", Share, "loss by the publishers' own numbers in the payload", |o| {
            o.media.stamped_loss
        }),
        ("packets_in", Number, "packets received a second, all people together", |o| {
            o.media.received_packets_per_s
        }),
        ("bitrate_in", Bitrate, "received, all people together", |o| o.media.received_bps),
        ("corrupt_packets", Number, "packets that were not what was sent", |o| {
            o.if_steady(o.media.corrupt_packets)
        }),
        ("added_delay_p50", Time, "send to arrival", |o| o.added_delay.map(|d| d.p50_us as f64)),
        ("added_delay_p95", Time, "send to arrival", |o| o.added_delay.map(|d| d.p95_us as f64)),
        ("added_delay_p99", Time, "send to arrival", |o| o.added_delay.map(|d| d.p99_us as f64)),
        ("added_delay_max", Time, "send to arrival", |o| o.added_delay.map(|d| d.max_us as f64)),
        ("join_p50", Time, "start of joining to first packet of media", |o| {
            o.joins.first_packet.map(|d| d.p50_us as f64)
        }),
        ("join_p95", Time, "start of joining to first packet of media", |o| {
            o.joins.first_packet.map(|d| d.p95_us as f64)
        }),
        ("join_max", Time, "start of joining to first packet of media", |o| {
            o.joins.first_packet.map(|d| d.max_us as f64)
        }),
        ("signalling_p95", Time, "start of joining to the server's answer", |o| {
            o.joins.signalling.map(|d| d.p95_us as f64)
        }),
        ("connected_p95", Time, "start of joining to keys", |o| {
            o.joins.connected.map(|d| d.p95_us as f64)
        }),
        ("first_key_frame_p95", Time, "start of joining to the first whole key frame", |o| {
            o.joins.first_key_frame.map(|d| d.p95_us as f64)
        }),
        ("joined", Number, "people who joined", |o| o.if_joined(o.joins.succeeded)),
        ("failed_joins", Number, "people who could not join or lost their connection", |o| {
            o.if_joined(o.joins.failed)
        }),
        ("freezes", Number, "freezes of video, all streams together", |o| {
            o.if_steady(o.media.freezes)
        }),
        ("frames_per_second", Number, "whole frames a second of a video stream, on average", |o| {
            o.media.frames_per_stream_s
        }),
        ("switches", Number, "changes of resolution or layer, all streams together", |o| {
            o.if_steady(o.media.switches)
        }),
        ("server_cpu", Number, "cores the server keeps busy", |o| o.server.as_ref()?.cpu_cores),
        ("server_cpu_per_packet", Time, "the server's CPU time a received packet", |o| {
            o.server.as_ref()?.cpu_us_per_packet
        }),
        ("packets_per_cpu_second", Number, "received packets a CPU second of the server", |o| {
            o.server.as_ref()?.packets_per_cpu_s
        }),
        ("server_memory", Memory, "the server's largest resident memory", |o| {
            o.server.as_ref().map(|s| s.rss_max_bytes as f64)
        }),
        ("server_memory_per_participant", Memory, "what each participant adds to it", |o| {
            o.server.as_ref()?.rss_per_participant_bytes
        }),
        ("own_cpu", Share, "of the CPU time that weir-load's threads can have", |o| {
            o.own.cpu_share
        }),
        ("own_drops", Number, "packets that weir-load itself was too slow for", |o| {
            o.if_steady(o.own.drops)
        }),
        ("late_frames", Number, "frames that weir-load itself sent late", |o| {
            o.if_steady(o.own.late_frames)
        }),
    ]
};

/// A figure that can be judged.
#[derive(Clone, Copy)]
pub struct Measure(usize);

impl Measure {
    /// All names with what they mean, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        MEASURES.iter().map(|(name, _, meaning, _)| (*name, *meaning))
    }

    /// As in a threshold's text.
    #[must_use]
    pub fn name(self) -> &'static str {
        MEASURES[self.0].0
    }

    fn dimension(self) -> Dimension {
        MEASURES[self.0].1
    }

    fn read(self, outcome: &Outcome) -> Option<f64> {
        (MEASURES[self.0].3)(outcome).filter(|value| value.is_finite())
    }
}

impl fmt::Debug for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Relation {
    const ALL: [(&'static str, Self); 4] =
        [("<=", Self::AtMost), (">=", Self::AtLeast), ("<", Self::Less), (">", Self::More)];

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::More => value > limit,
            Self::AtLeast => value >= limit,
        }
    }
}

/// A figure and its limit, parsed from text such as `added_delay_p99 < 20ms`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    measure: Measure,
    relation: Relation,
    limit: f64,
    text: String,
}

impl Threshold {
    /// The figure, `None` when it was not measured, and whether the threshold is met: never without a figure.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome) -> (Option<f64>, bool) {
        let value = self.measure.read(outcome);
        (value, value.is_some_and(|value| self.relation.holds(value, self.limit)))
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A figure of this threshold's measure, with its unit.
    #[must_use]
    pub fn show(&self, value: Option<f64>) -> String {
        let Some(value) = value else { return "not measured".to_owned() };
        match self.measure.dimension() {
            Dimension::Share => units::percent(value),
            Dimension::Time => units::micros(value),
            Dimension::Memory => units::bytes(value),
            Dimension::Bitrate => units::bitrate(value),
            Dimension::Number => units::plain(value),
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |why: String| format!("threshold \"{text}\": {why}");
        let relation = Relation::ALL.iter().find_map(|&(sign, relation)| {
            text.split_once(sign).map(|(name, limit)| (name.trim(), relation, limit.trim()))
        });
        let Some((name, relation, limit)) = relation else {
            return Err(wrong("write it as NAME < LIMIT (or <=, >, >=)".to_owned()));
        };
        let Some(index) = MEASURES.iter().position(|(known, ..)| *known == name) else {
            let names: Vec<&str> = Measure::all().map(|(name, _)| name).collect();
            return Err(wrong(format!(
                "no figure is called {name}; there are {}",
                names.join(", ")
            )));
        };
        let measure = Measure(index);
        let limit = parse_limit(limit, measure.dimension()).map_err(wrong)?;
        Ok(Self { measure, relation, limit, text: text.to_owned() })
    }
}

impl TryFrom<String> for Threshold {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> Self {
        threshold.text
    }
}

/// Number and unit, with or without a space between them.
fn parse_limit(text: &str, dimension: Dimension) -> Result<f64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_');
    let (digits, unit) = text.split_at(split.unwrap_or(text.len()));
    let unit = unit.trim();
    let number: f64 = digits
        .replace('_', "")
        .parse()
        .map_err(|_| format!("\"{text}\" does not begin with a number"))?;
    let units: &[(&str, f64)] = match dimension {
        Dimension::Share => &[("%", 0.01), ("", 1.0)],
        Dimension::Time => &[("us", 1.0), ("ms", 1e3), ("s", 1e6)],
        Dimension::Memory => {
            &[("B", 1.0), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)]
        }
        Dimension::Bitrate => &[("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)],
        Dimension::Number => &[("", 1.0)],
    };
    let Some((_, factor)) = units.iter().find(|(known, _)| *known == unit) else {
        let known: Vec<&str> =
            units.iter().map(|(name, _)| if name.is_empty() { "no unit" } else { name }).collect();
        let got = if unit.is_empty() { "none".to_owned() } else { format!("\"{unit}\"") };
        return Err(format!("its unit is {got}; it takes {}", known.join(", ")));
    };
    Ok(number * factor)
}

#[cfg(test)]
mod tests;
