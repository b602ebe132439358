//! Which domains are held to limits of their own: alone, or as a group that one provider takes mail for.

mod providers;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::Rate;
use crate::error::{Error, Kind, Result, nearest};

/// A group of domains with limits of its own, within one [`Groups`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(u16);

impl Group {
    /// All domains without limits of their own.
    pub const NONE: Self = Self(0);

    pub(super) fn index(self) -> usize {
        self.0.into()
    }
}

/// What the mail of a group is held to, beside what holds for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupLimit {
    /// Its pace.
    pub rate: Option<Rate>,
    /// Connections that may carry its mail at once.
    pub connections: Option<usize>,
    /// Messages after which a connection that carries its mail is closed.
    pub messages_per_connection: Option<usize>,
}

impl GroupLimit {
    /// What is not set here is as in `other`.
    fn or(self, other: Self) -> Self {
        Self {
            rate: self.rate.or(other.rate),
            connections: self.connections.or(other.connections),
            messages_per_connection: self
                .messages_per_connection
                .or(other.messages_per_connection),
        }
    }
}

/// Whether the large providers have limits without being named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presets {
    /// Only what is named has limits.
    #[default]
    Off,
    /// They have, for who hands mail to them without a relay in between.
    On,
}

/// All groups of a relay.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    // The group with the number n is at n - 1.
    list: Vec<(Arc<str>, GroupLimit)>,
    domains: HashMap<String, Group>,
}

impl Groups {
    /// The groups that are named in the settings: `outlook.com`, or `@microsoft` for all domains of a
    /// provider. A domain that is named itself is not in its provider's group.
    ///
    /// # Errors
    /// [`Kind::Settings`] for names that are neither; all of them are said.
    pub fn new(limits: BTreeMap<String, GroupLimit>, presets: Presets) -> Result<Self> {
        let mut errors = Vec::new();
        let mut plain = BTreeMap::new();
        let mut named = BTreeMap::new();
        for (name, limit) in limits {
            let lower = name.trim_end_matches('.').to_lowercase();
            let into = match lower.strip_prefix('@') {
                Some(provider) if providers::of(provider).is_none() => {
                    errors.push(unknown(&name, &lower));
                    continue;
                }
                Some(_) => &mut named,
                None if !is_domain(&lower) => {
                    errors.push(no_domain(&name));
                    continue;
                }
                None => &mut plain,
            };
            if into.insert(lower, limit).is_some() {
                errors.push(
                    Error::new(Kind::Settings, format!("`{name}` has limits twice"))
                        .hint("Capitals make no difference in the name of a domain."),
                );
            }
        }
        if let Some(error) = Error::all(errors) {
            return Err(error);
        }
        let mut groups = Self::default();
        for (domain, limit) in plain {
            let group = groups.add(&domain, limit);
            groups.domains.insert(domain, group);
        }
        for provider in providers::ALL {
            let name = format!("@{}", provider.name);
            let preset = match presets {
                Presets::On if provider.limit != GroupLimit::default() => Some(provider.limit),
                Presets::On | Presets::Off => None,
            };
            let limit = match (named.get(&name).copied(), preset) {
                (Some(limit), preset) => limit.or(preset.unwrap_or_default()),
                (None, Some(preset)) => preset,
                (None, None) => continue,
            };
            let group = groups.add(&name, limit);
            for domain in provider.domains() {
                groups.domains.entry(domain).or_insert(group);
            }
        }
        Ok(groups)
    }

    fn add(&mut self, name: &str, limit: GroupLimit) -> Group {
        self.list.push((name.into(), limit));
        // A settings file has no 65,535 sections; if one had, the rest would go without.
        Group(u16::try_from(self.list.len()).unwrap_or_default())
    }

    /// The group of a domain.
    #[must_use]
    pub fn of(&self, domain: &str) -> Group {
        if self.domains.is_empty() {
            return Group::NONE;
        }
        let found = match domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.domains.get(&domain.to_lowercase()),
            false => self.domains.get(domain),
        };
        found.copied().unwrap_or_default()
    }

    /// What a group is held to; nothing for [`Group::NONE`].
    #[must_use]
    pub fn limit(&self, group: Group) -> GroupLimit {
        self.entry(group)
            .map_or_else(GroupLimit::default, |(_, limit)| *limit)
    }

    /// What the settings call it; `None` for [`Group::NONE`].
    #[must_use]
    pub fn name(&self, group: Group) -> Option<&str> {
        self.entry(group).map(|(name, _)| &**name)
    }

    /// All groups but [`Group::NONE`].
    pub fn all(&self) -> impl Iterator<Item = Group> + use<> {
        (1..=u16::try_from(self.list.len()).unwrap_or(u16::MAX)).map(Group)
    }

    fn entry(&self, group: Group) -> Option<&(Arc<str>, GroupLimit)> {
        self.list.get(group.index().checked_sub(1)?)
    }
}

fn is_domain(name: &str) -> bool {
    name.contains('.')
        && name.split('.').all(|label| !label.is_empty())
        && !name.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '/' | '*' | ','))
}

fn unknown(name: &str, lower: &str) -> Error {
    let known: Vec<String> = providers::ALL
        .iter()
        .map(|p| format!("@{}", p.name))
        .collect();
    let error = Error::new(
        Kind::Settings,
        format!("there is no group of domains `{name}`"),
    );
    match nearest(lower, known.iter().map(String::as_str)) {
        Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
        None => error.hint(format!("The groups are {}.", known.join(", "))),
    }
}

fn no_domain(name: &str) -> Error {
    Error::new(Kind::Settings, format!("`{name}` is neither a domain nor a group of domains"))
        .hint("Write a domain as it stands in addresses, such as `outlook.com`, or a group, such as `@microsoft`.")
}

#[cfg(test)]
mod tests;
