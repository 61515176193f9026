use std::collections::BTreeMap;
use std::fmt::Display;

/// Builds the content of an answer.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    pub(super) fn text(&mut self, name: &str, value: impl Display) -> &mut Self {
        let value = value.to_string();
        self.0 += &format!("<{name}>{}</{name}>", quick_xml::escape::escape(&value));
        self
    }

    /// Omitted when absent.
    pub(super) fn option(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    pub(super) fn inside(&mut self, name: &str, fill: impl FnOnce(&mut Xml)) -> &mut Self {
        self.0 += &format!("<{name}>");
        fill(self);
        self.0 += &format!("</{name}>");
        self
    }

    pub(super) fn items<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Xml, T),
    ) -> &mut Self {
        self.inside(name, |xml| {
            for item in items {
                xml.inside("item", |xml| fill(xml, item));
            }
        })
    }

    pub(super) fn tags(&mut self, tags: &BTreeMap<String, String>) -> &mut Self {
        if tags.is_empty() {
            return self;
        }
        self.items("tagSet", tags, |xml, (key, value)| {
            xml.text("key", key).text("value", value);
        })
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
