//! The settings as types: one struct a section, one doc comment a key.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    audience::Address,
    delivery::{
        Deadlines, Security,
        pace::{QuietHours, Rate},
    },
    error::Error,
    mail::Mailbox,
};

/// All of `newsletter.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What every issue shares.
    pub newsletter: Newsletter,
    /// Who reads it.
    #[serde(default)]
    pub list: ListSettings,
    /// Who carries it.
    pub relay: Option<RelaySettings>,
    /// Further relays by name, which share the mail or step in.
    #[serde(default)]
    pub relays: BTreeMap<String, RelaySettings>,
    /// How mail is signed.
    pub dkim: Option<DkimSettings>,
    /// How it is left.
    #[serde(default)]
    pub unsubscribe: Unsubscribe,
    /// Where the books are kept.
    #[serde(default)]
    pub ledger: Ledger,
    /// Where articles may come from.
    #[serde(default)]
    pub sources: Sources,
    /// How pictures travel.
    #[serde(default)]
    pub images: Images,
    /// How templates are read.
    #[serde(default)]
    pub templates: TemplateSettings,
    /// When a campaign is given up.
    #[serde(default)]
    pub send: Send,
}

/// `[newsletter]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newsletter {
    /// Its name.
    pub name: String,
    /// A few words below the name.
    pub tagline: Option<String>,
    /// The author, as in `The Weekly Press <press@news.example.com>`.
    #[serde(deserialize_with = "parsed")]
    pub from: Mailbox,
    /// Where answers go, when not to `from`.
    #[serde(default, deserialize_with = "parsed_option")]
    pub reply_to: Option<Mailbox>,
    /// Where reports of failed delivery go, when not to `from`; `{token}` in it names the mail.
    pub return_path: Option<String>,
    /// The stable name of the list (RFC 2919); the newsletter's name at the domain of `from`.
    pub list_id: Option<String>,
    /// The postal address that the law asks for, in every issue.
    pub postal_address: String,
    /// Where the newsletter lives on the web, with its unsubscribe page: an https address.
    pub base_url: Option<String>,
    /// The language (BCP 47).
    #[serde(default = "english")]
    pub language: String,
}

/// `[list]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListSettings {
    /// The subscribers: CSV with a header.
    pub path: String,
    /// Addresses that are never written to: CSV.
    pub suppressions: String,
    /// Columns that hold several entries, parted by `;`, `,` or `|`.
    pub list_fields: Vec<String>,
}

/// `[relay]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaySettings {
    /// `smtps://user@host:465` or `smtp://user@host:587`, which demands STARTTLS;
    /// `smtp+plain://127.0.0.1:1025` in clear text, on this machine only.
    #[serde(deserialize_with = "parsed")]
    pub url: RelayUrl,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
    /// The file that holds the password, readable by its owner alone.
    pub password_file: Option<String>,
    /// The command that prints the password.
    pub password_command: Option<String>,
    /// Connections open at once.
    #[serde(default = "eight", deserialize_with = "positive")]
    pub connections: usize,
    /// Messages after which a connection is closed and opened anew.
    #[serde(default = "hundred", deserialize_with = "positive")]
    pub messages_per_connection: usize,
    /// The pace: `14/s`, `30/min`, `max`.
    #[serde(default = "ten_a_second", deserialize_with = "rate")]
    pub rate: Rate,
    /// Limits over longer windows, each like `50000/24h`.
    #[serde(default, deserialize_with = "rates")]
    pub quota: Vec<Rate>,
    /// The name we give in EHLO; the domain of `from` when absent.
    pub hello: Option<String>,
    /// A PEM file with a certificate authority to trust beside the public ones.
    pub ca_file: Option<String>,
    /// How long to wait for each answer of the relay.
    #[serde(default)]
    pub deadlines: DeadlineSettings,
    /// Limits for the mail of one domain, or of a group of them such as `@google`, by its name.
    #[serde(default)]
    pub domains: BTreeMap<String, DomainSettings>,
    /// Whether the groups of the large providers have limits without being named: for mail servers of
    /// one's own, which hand mail to the providers themselves.
    #[serde(default)]
    pub domain_presets: bool,
    /// How much of the mail it gets, compared to the other relays; 0 when it only steps in for them.
    #[serde(default = "one")]
    pub weight: u32,
    /// How much it is given in its first days.
    pub warmup: Option<WarmupSettings>,
}

/// `warmup = { start = 200, growth = 1.5, max = 50000 }`: mails a day for a new sending address.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmupSettings {
    /// On the first day.
    pub start: u32,
    /// Each day has so many times as many as the day before: more than 1.
    #[serde(default = "half_more")]
    pub growth: f64,
    /// From here on there is no ramp any more.
    pub max: u32,
}

/// `[relay.domains."example.com"]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSettings {
    /// Messages after which a connection that carries its mail is closed.
    #[serde(default, deserialize_with = "positive_option")]
    pub messages_per_connection: Option<usize>,
    /// Connections open at once for it.
    #[serde(default, deserialize_with = "positive_option")]
    pub connections: Option<usize>,
    /// Its pace.
    #[serde(default, deserialize_with = "parsed_option")]
    pub rate: Option<Rate>,
}

/// `[dkim]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimSettings {
    /// The signing domain: that of `from`, or one above it.
    pub domain: String,
    /// The name of the RSA key in the DNS.
    pub selector: String,
    /// The private RSA key: PEM.
    pub key_file: String,
    /// The name in the DNS of an Ed25519 key, for a second signature.
    pub ed25519_selector: Option<String>,
    /// That private key: PEM.
    pub ed25519_key_file: Option<String>,
}

/// `[relay.deadlines]`: each like `30s` or `5m`; those of RFC 5321 4.5.3.2 where absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeadlineSettings {
    /// To look up the relay and reach it.
    pub connect: Option<Span>,
    /// For its first line.
    pub greeting: Option<Span>,
    /// For the answer to EHLO.
    pub hello: Option<Span>,
    /// For the TLS handshake.
    pub tls: Option<Span>,
    /// For each step of AUTH.
    pub auth: Option<Span>,
    /// For the answer to MAIL.
    pub mail: Option<Span>,
    /// For the answer to RCPT.
    pub rcpt: Option<Span>,
    /// For the answer to DATA.
    pub data: Option<Span>,
    /// For the relay to take the next piece of a message.
    pub block: Option<Span>,
    /// For the answer to the final dot.
    pub dot: Option<Span>,
}

impl From<DeadlineSettings> for Deadlines {
    fn from(settings: DeadlineSettings) -> Self {
        let usual = Self::default();
        let or = |span: Option<Span>, usual| span.map_or(usual, |span| span.0);
        Self {
            connect: or(settings.connect, usual.connect),
            greeting: or(settings.greeting, usual.greeting),
            hello: or(settings.hello, usual.hello),
            tls: or(settings.tls, usual.tls),
            auth: or(settings.auth, usual.auth),
            mail: or(settings.mail, usual.mail),
            rcpt: or(settings.rcpt, usual.rcpt),
            data: or(settings.data, usual.data),
            block: or(settings.block, usual.block),
            dot: or(settings.dot, usual.dot),
        }
    }
}

/// A span of time, written like `30s`, `5m` or `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub std::time::Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|span| std::time::Duration::try_from(span).ok())
            .filter(|span| !span.is_zero())
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no span of time: write it like `30s` or `5m`"))
    }
}

/// `[unsubscribe]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unsubscribe {
    /// The key that unsubscribe links are made with; made at the first run. Keep a copy.
    pub secret_file: String,
    /// An address that takes unsubscribe requests by mail, beside the link.
    #[serde(deserialize_with = "address_option")]
    pub mailto: Option<Address>,
}

/// `[ledger]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// `sqlite:` and a path.
    pub url: String,
}

/// `[sources]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// Whether an issue may name files outside the newsletter's folder.
    pub allow_outside: bool,
}

/// `[images]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Images {
    /// `inline` or `hosted`.
    pub delivery: ImageDelivery,
}

/// How the newsletter's own pictures reach the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageDelivery {
    /// Each mail carries them: nothing to set up, and nothing is fetched from the network.
    #[default]
    Inline,
    /// They are fetched from `base_url`, where you put them: lighter mails for large lists.
    Hosted,
}

/// `[templates]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TemplateSettings {
    /// `soft`, `standard` or `strict`.
    pub validation: TemplateValidation,
}

/// What is made of MJML that is not quite right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TemplateValidation {
    /// Warnings only: what MJML does not know is left out.
    Soft,
    /// What would be lost from the page is an error; all else is a warning.
    #[default]
    Standard,
    /// Everything is an error.
    Strict,
}

/// `[send]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Send {
    /// The share of failed recipients above which the exit code is 4.
    #[serde(deserialize_with = "parsed")]
    pub max_failures: Percent,
    /// How long after its beginning an issue is no news any more: who was deferred until then is given
    /// up.
    pub deliver_by: Span,
    /// How late an issue may begin, when the machine was off at its time.
    pub max_delay: Span,
    /// When no mail leaves: `22:00-07:00 Europe/Berlin`.
    #[serde(deserialize_with = "parsed_option")]
    pub quiet_hours: Option<QuietHours>,
    /// On lists of more than 5,000, so many mails leave first, and the rest when they fared well; 0 for
    /// no such test.
    pub canary: u32,
}

/// Where and how a relay is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayUrl {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who we are there.
    pub user: Option<String>,
    /// How the connection is protected.
    pub security: Security,
}

impl FromStr for RelayUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url =
            url::Url::parse(text).map_err(|cause| format!("not a relay's address: {cause}"))?;
        let (security, port) = match url.scheme() {
            "smtps" => (Security::Implicit, 465),
            "smtp" => (Security::StartTls, 587),
            "smtp+plain" => (Security::None, 25),
            other => {
                return Err(format!(
                    "a relay's address begins with `smtps://`, `smtp://` or `smtp+plain://`, not `{other}://`"
                ));
            }
        };
        if url.password().is_some() {
            return Err(
                "a password does not belong in the relay's address: use `password_env`, `password_file` or `password_command`".into(),
            );
        }
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or("the relay's address names no host")?
            .trim_matches(['[', ']'])
            .to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("the relay's address ends after the port".into());
        }
        let user = match url.username() {
            "" => None,
            user => Some(percent_decoded(user)?),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            user,
            security,
        })
    }
}

/// `user%40example.com` is how a URL writes `user@example.com`.
fn percent_decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| "the user's name is not UTF-8 text".into())
}

/// A share in hundredths of a percent, so that it compares exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// Whether `part` of `whole` is more than this.
    #[must_use]
    pub fn is_passed_by(self, part: u64, whole: u64) -> bool {
        part * 10_000 > whole * u64::from(self.0)
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text
            .strip_suffix('%')
            .and_then(|number| number.trim().parse::<f64>().ok())
            .filter(|number| (0.0..=100.0).contains(number))
            .ok_or_else(|| format!("`{text}` is no share: write it like `5%`"))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 100"
        )]
        Ok(Self((number * 100.0).round() as u32))
    }
}

impl Default for ListSettings {
    fn default() -> Self {
        Self {
            path: "subscribers/list.csv".into(),
            suppressions: "subscribers/suppressions.csv".into(),
            list_fields: vec!["topics".into(), "tags".into()],
        }
    }
}

impl Default for Unsubscribe {
    fn default() -> Self {
        Self {
            secret_file: ".letterpress/secret".into(),
            mailto: None,
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            url: "sqlite:.letterpress/ledger.db".into(),
        }
    }
}

impl Default for Send {
    fn default() -> Self {
        Self {
            max_failures: Percent(500),
            deliver_by: Span(std::time::Duration::from_secs(24 * 60 * 60)),
            max_delay: Span(std::time::Duration::from_secs(12 * 60 * 60)),
            quiet_hours: None,
            canary: 50,
        }
    }
}

/// The settings out of a table, as after the environment has had its say.
pub(super) fn from_table(table: toml::Table) -> Result<Settings, toml::de::Error> {
    Settings::deserialize(table)
}

fn english() -> String {
    "en".into()
}

fn eight() -> usize {
    8
}

fn one() -> u32 {
    1
}

fn half_more() -> f64 {
    1.5
}

fn hundred() -> usize {
    100
}

fn ten_a_second() -> Rate {
    Rate::default()
}

fn parsed<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: std::fmt::Display>,
{
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

fn parsed_option<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: std::fmt::Display>,
{
    parsed(from).map(Some)
}

fn address_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Address>, D::Error> {
    let text = String::deserialize(from)?;
    let address = text.parse().map_err(|cause| {
        D::Error::custom(format!("not an address that can be written to: {cause}"))
    })?;
    Ok(Some(address))
}

fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Rate, D::Error> {
    rate_of(&String::deserialize(from)?)
}

fn rates<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Rate>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| rate_of(text)).collect()
}

/// A rate; what would be right is said in the message, the one thing that TOML's errors carry.
fn rate_of<E: serde::de::Error>(text: &str) -> Result<Rate, E> {
    text.parse().map_err(|error: Error| {
        E::custom(format!(
            "{error}: write it like `14/s`, `30/min` or `50000/24h`"
        ))
    })
}

fn positive_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    positive(from).map(Some)
}

fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    match usize::deserialize(from)? {
        0 => Err(D::Error::custom("must be 1 or more")),
        number => Ok(number),
    }
}
