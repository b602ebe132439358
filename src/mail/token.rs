//! Tokens that stand for a subscriber without showing who it is, and that nobody else can make.
//!
//! ```text
//! unsubscribe   1 base32( id of the address on the list, 16 octets · MAC, 10 octets )      43 characters
//! bounce        1 base32( campaign, 5 octets · id of the address, 8 octets · MAC, 10 )     38 characters
//! ```
//!
//! All ids and MACs are HMAC-SHA256 (RFC 2104) under the newsletter's secret, cut short, each over
//! its own purpose, so that no value of one kind passes for one of another. The leading `1` is the
//! version.

use std::fmt;

use aws_lc_rs::{constant_time, hmac, rand};
use data_encoding::{BASE32_NOPAD, Encoding, HEXLOWER_PERMISSIVE, Specification};

use crate::{
    audience::Address,
    error::{Error, Kind, Result},
};

/// The newsletter's secret key. Whoever has it can unsubscribe everyone; it is never shown.
#[derive(Clone)]
pub struct Secret {
    bytes: [u8; 32],
    key: hmac::Key,
}

/// A subscriber of one list, as the unsubscribe token names them: [`Secret::subscriber`] of their
/// address.
pub type SubscriberId = [u8; 16];

/// What a bounce token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounce {
    /// The campaign: [`Secret::campaign`] of its id.
    pub campaign: [u8; 5],
    /// The recipient: [`Secret::bounced`] of the address.
    pub recipient: [u8; 8],
}

const VERSION: char = '1';
const MAC: usize = 10;
/// The length of a bounce token.
pub(super) const BOUNCE_TOKEN: usize = 38;

impl Secret {
    /// The secret made of 32 octets that somebody drew by chance.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        Self { bytes, key }
    }

    /// A new secret, of the system's random numbers.
    ///
    /// # Errors
    ///
    /// When the system has none to give.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| {
            Error::new(
                Kind::Unavailable,
                "the system has no random numbers to give",
            )
        })?;
        Ok(Self::new(bytes))
    }

    /// Reads the content of a secret file: base32 as [`Self::to_text`] writes it, or 64 hexadecimal
    /// digits.
    ///
    /// # Errors
    ///
    /// When it is neither; what it is instead is not told.
    pub fn from_text(text: &str) -> Result<Self> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
            52 => BASE32_NOPAD
                .decode(text.to_ascii_uppercase().as_bytes())
                .ok(),
            _ => None,
        };
        match bytes.map(<[u8; 32]>::try_from) {
            Some(Ok(bytes)) => Ok(Self::new(bytes)),
            _ => Err(
                Error::new(Kind::Settings, "this is not a secret of 32 octets").hint(
                    "Write 52 characters of base32 or 64 hexadecimal digits, drawn by chance.",
                ),
            ),
        }
    }

    /// The content of a secret file: base32 and a line end.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n", base32().encode(&self.bytes))
    }

    /// The token that ends the subscription of an address to the list with this id (RFC 8058 3.1).
    #[must_use]
    pub fn unsubscribe_token(&self, list_id: &str, address: &Address) -> String {
        let id = self.subscriber(list_id, address);
        let mac: [u8; MAC] = self.mac(["unsubscribe", list_id], &id);
        format!("{VERSION}{}", base32().encode(&[&id[..], &mac].concat()))
    }

    /// Whom a token asks to unsubscribe from the list with this id; nobody when it is not one of ours.
    #[must_use]
    pub fn read_unsubscribe_token(&self, list_id: &str, token: &str) -> Option<SubscriberId> {
        let bytes = base32()
            .decode(token.strip_prefix(VERSION)?.as_bytes())
            .ok()?;
        let (id, mac) = bytes.split_first_chunk::<16>()?;
        let expected: [u8; MAC] = self.mac(["unsubscribe", list_id], id);
        constant_time::verify_slices_are_equal(&expected, mac).ok()?;
        Some(*id)
    }

    /// The id of an address on the list with this id.
    #[must_use]
    pub fn subscriber(&self, list_id: &str, address: &Address) -> SubscriberId {
        self.mac(["subscriber", list_id], address.key().as_bytes())
    }

    /// The token of a mail of a campaign, for its return path and its Message-ID. It is read
    /// whatever the case, because some servers change it.
    #[must_use]
    pub fn bounce_token(&self, campaign: &str, address: &Address) -> String {
        self.bounce_token_in(self.campaign(campaign), address)
    }

    /// As [`Self::bounce_token`], of a campaign that has its id already.
    #[must_use]
    pub(super) fn bounce_token_in(&self, campaign: [u8; 5], address: &Address) -> String {
        let recipient = self.bounced(address);
        let mac: [u8; MAC] = self.mac(["bounce", ""], &[&campaign[..], &recipient].concat());
        let bytes = [&campaign[..], &recipient, &mac].concat();
        format!("{VERSION}{}", base32().encode(&bytes))
    }

    /// What a bounce token says; nothing when it is not one of ours.
    #[must_use]
    pub fn read_bounce_token(&self, token: &str) -> Option<Bounce> {
        let token = token.to_ascii_lowercase();
        let bytes = base32()
            .decode(token.strip_prefix(VERSION)?.as_bytes())
            .ok()?;
        let (campaign, rest) = bytes.split_first_chunk::<5>()?;
        let (recipient, mac) = rest.split_first_chunk::<8>()?;
        let ids = [&campaign[..], recipient].concat();
        let expected: [u8; MAC] = self.mac(["bounce", ""], &ids);
        constant_time::verify_slices_are_equal(&expected, mac).ok()?;
        Some(Bounce {
            campaign: *campaign,
            recipient: *recipient,
        })
    }

    /// The id of a campaign in bounce tokens.
    #[must_use]
    pub fn campaign(&self, campaign: &str) -> [u8; 5] {
        self.mac(["campaign", ""], campaign.as_bytes())
    }

    /// The id of an address in bounce tokens, the same for all campaigns.
    #[must_use]
    pub fn bounced(&self, address: &Address) -> [u8; 8] {
        self.mac(["recipient", ""], address.key().as_bytes())
    }

    /// A name for the secret itself that does not give it away: to see whether it is still the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mac: [u8; 10] = self.mac(["fingerprint", ""], &[]);
        base32().encode(&mac)
    }

    /// The first `N` octets of HMAC-SHA256 over version, purpose, scope and what it is about. Each
    /// but the last has its length before it, so that no two inputs run together to the same.
    fn mac<const N: usize>(&self, [purpose, scope]: [&str; 2], about: &[u8]) -> [u8; N] {
        let mut context = hmac::Context::with_key(&self.key);
        for field in ["letterpress 1", purpose, scope] {
            context.update(&(field.len() as u64).to_be_bytes());
            context.update(field.as_bytes());
        }
        context.update(about);
        let mut mac = [0; N];
        for (to, from) in mac.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Base32 (RFC 4648 6) in lower case without padding: it passes through addresses, URLs, and servers
/// that fold the case. Only the canonical form is read.
fn base32() -> &'static Encoding {
    static ENCODING: std::sync::LazyLock<Encoding> = std::sync::LazyLock::new(|| {
        let mut specification = Specification::new();
        specification
            .symbols
            .push_str("abcdefghijklmnopqrstuvwxyz234567");
        // The specification is a constant and a right one; a test makes sure of it.
        specification.encoding().unwrap_or(BASE32_NOPAD)
    });
    &ENCODING
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = "weekly.news.example.com";

    fn secret() -> Secret {
        Secret::new(std::array::from_fn(|at| at as u8))
    }

    fn ann() -> Address {
        Address::parse("Ann@example.org").unwrap()
    }

    #[test]
    fn tokens_stay_the_same_for_ever() {
        assert_eq!(
            secret().unsubscribe_token(LIST, &ann()),
            "14dsphfx26kgkk4q4xw43lkfqi5n2us3s4eslflh3qm"
        );
        assert_eq!(
            secret().bounce_token("welcome@all", &ann()),
            "1okglf6cruq6v3nvagnnwnmqj72isz25uni5a4"
        );
    }

    #[test]
    fn a_token_tells_whom_it_is_for() {
        let token = secret().unsubscribe_token(LIST, &ann());
        let lower_case = Address::parse("ann@example.org").unwrap();
        assert_eq!(
            secret().read_unsubscribe_token(LIST, &token),
            Some(secret().subscriber(LIST, &lower_case))
        );
        let token = secret().bounce_token("welcome@all", &ann());
        let expected = Bounce {
            campaign: secret().campaign("welcome@all"),
            recipient: secret().bounced(&lower_case),
        };
        assert_eq!(secret().read_bounce_token(&token), Some(expected));
        assert_eq!(
            secret().read_bounce_token(&token.to_uppercase()),
            Some(expected)
        );
    }

    #[test]
    fn a_token_of_another_list_secret_or_kind_is_void() {
        let token = secret().unsubscribe_token(LIST, &ann());
        assert_eq!(
            secret().read_unsubscribe_token("daily.news.example.com", &token),
            None
        );
        assert_eq!(
            Secret::new([7; 32]).read_unsubscribe_token(LIST, &token),
            None
        );
        assert_eq!(secret().read_bounce_token(&token), None);
        let bounce = secret().bounce_token("welcome@all", &ann());
        assert_eq!(Secret::new([7; 32]).read_bounce_token(&bounce), None);
        assert_eq!(secret().read_unsubscribe_token(LIST, &bounce), None);
    }

    #[test]
    fn any_flipped_bit_makes_a_token_void() {
        let token = secret().unsubscribe_token(LIST, &ann());
        let bounce = secret().bounce_token("welcome@all", &ann());
        let flipped = |token: &str, at: usize, bit: u8| {
            let mut bytes = token.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            String::from_utf8_lossy(&bytes).into_owned()
        };
        for at in 0..token.len() {
            for bit in 0..8 {
                let token = flipped(&token, at, bit);
                assert_eq!(
                    secret().read_unsubscribe_token(LIST, &token),
                    None,
                    "{token}"
                );
            }
        }
        for at in 0..bounce.len() {
            for bit in 0..8 {
                let other = flipped(&bounce, at, bit);
                let same = other.eq_ignore_ascii_case(&bounce);
                assert_eq!(
                    secret().read_bounce_token(&other).is_some(),
                    same,
                    "{other}"
                );
            }
        }
    }

    #[test]
    fn tokens_fit_and_show_nothing() {
        let token = secret().unsubscribe_token(LIST, &ann());
        let bounce = secret().bounce_token("welcome@all", &ann());
        assert_eq!((token.len(), bounce.len()), (43, 38));
        for token in [token, bounce] {
            assert!(
                token
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            );
        }
    }

    #[test]
    fn a_secret_is_read_and_written_and_never_shown() {
        let text = secret().to_text();
        assert_eq!(
            text,
            "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq\n"
        );
        assert_eq!(Secret::from_text(&text).unwrap().bytes, secret().bytes);
        let hex = "000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert_eq!(Secret::from_text(hex).unwrap().bytes, secret().bytes);
        assert_eq!(format!("{:?}", secret()), "Secret(…)");
        let error = Secret::from_text("hunter2").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_ne!(
            Secret::generate().unwrap().bytes,
            Secret::generate().unwrap().bytes
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            prop_assert_eq!(secret().read_bounce_token(&text), None);
            prop_assert_eq!(secret().read_unsubscribe_token(LIST, &text), None);
            let _ = Secret::from_text(&text);
        }
    }
}
