//! The attributes of a component, by name.

use std::sync::Arc;

use crate::compose::mjml::{colors, tree::Element};

/// Attributes by name; each name once. Shared, as most of a page's attributes come from its head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::compose::mjml) struct Attributes(Vec<(Arc<str>, Arc<str>)>);

impl Attributes {
    pub(in crate::compose::mjml) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| **known == *name);
        found.map(|(_, value)| &**value)
    }

    /// Sets an attribute; a name that is known keeps its rank.
    pub(in crate::compose::mjml) fn set(&mut self, name: &str, value: impl Into<Arc<str>>) {
        match self.0.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    pub(in crate::compose::mjml) fn remove(&mut self, name: &str) -> Option<Arc<str>> {
        let at = self.0.iter().position(|(known, _)| **known == *name)?;
        Some(self.0.remove(at).1)
    }

    pub(in crate::compose::mjml) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (&**name, &**value))
    }

    /// Those that `change` keeps, with the values that it gives to them.
    pub(in crate::compose::mjml) fn kept(&self, change: impl Fn(&str, &str) -> Kept) -> Self {
        let mut kept = Self(Vec::with_capacity(self.0.len()));
        for (name, value) in &self.0 {
            let (name, value) = match change(name, value) {
                Kept::Nothing => continue,
                Kept::Same => (Arc::clone(name), Arc::clone(value)),
                Kept::Value(value) => (Arc::clone(name), value.into()),
                Kept::Renamed(name) => (name.into(), Arc::clone(value)),
            };
            match kept.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => kept.0.push((name, value)),
            }
        }
        kept
    }

    /// Changes the values that `change` has something for.
    pub(in crate::compose::mjml) fn change(&mut self, change: impl Fn(&str) -> Option<String>) {
        for (_, value) in &mut self.0 {
            if let Some(changed) = change(value) {
                *value = changed.into();
            }
        }
    }

    /// Sets all of these; they win.
    pub(in crate::compose::mjml) fn merge(&mut self, others: &Self) {
        for (name, value) in &others.0 {
            match self.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => *old = Arc::clone(value),
                None => self.0.push((Arc::clone(name), Arc::clone(value))),
            }
        }
    }
}

/// What is kept of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::compose::mjml) enum Kept {
    Nothing,
    Same,
    /// With another value.
    Value(String),
    /// By another name.
    Renamed(&'static str),
}

impl<'a> FromIterator<(&'a str, &'a str)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut attributes = Self::default();
        for (name, value) in pairs {
            attributes.set(name, value);
        }
        attributes
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Attributes {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<&Element> for Attributes {
    fn from(element: &Element) -> Self {
        let mut attributes = Self::default();
        for attribute in &element.attributes {
            let value = colors::in_full(&attribute.name, &attribute.value);
            attributes.set(&attribute.name, &*value);
        }
        attributes
    }
}
