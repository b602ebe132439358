//! A page with other values of attributes, and every other byte as it was.

use super::Page;

/// New values of attributes, by the element.
pub(in super::super) type Changes = Vec<(usize, Vec<(String, String)>)>;

impl Page<'_> {
    /// The page with other values; `changes` go from its first element to its last.
    pub(in super::super) fn with(&self, changes: &Changes) -> String {
        let mut out = String::with_capacity(self.source.len() + self.source.len() / 4);
        let mut copied = 0;
        for (element, values) in changes {
            let mut added = Vec::new();
            let mut replaced = Vec::new();
            for (name, value) in values {
                let old = self.attributes(*element).iter();
                match old.clone().find(|it| it.name == name.as_str()) {
                    Some(old) => replaced.push((&old.span, name, value)),
                    None => added.push((name, value)),
                }
            }
            replaced.sort_by_key(|(span, ..)| span.start);
            for (span, name, value) in replaced {
                out.push_str(&self.source[copied..span.start]);
                write_attribute(name, value, &mut out);
                copied = span.end;
            }
            let Some(end) = self.elements.get(*element).map(|it| it.end) else {
                continue;
            };
            out.push_str(&self.source[copied..end]);
            copied = end;
            for (name, value) in added {
                out.push(' ');
                write_attribute(name, value, &mut out);
            }
        }
        out.push_str(&self.source[copied..]);
        out
    }
}

fn write_attribute(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    out.push_str("=\"");
    out.push_str(&value.replace('"', "&quot;"));
    out.push('"');
}
