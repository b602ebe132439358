//! The large providers: which domains their servers take mail for, and what they bear.
//!
//! The domains are those open to the public whose mail goes to one provider's servers. Domains of firms that have
//! their mail with a provider are not here: telling them would take the DNS.

use super::GroupLimit;

/// A provider and what it bears from a sender that comes without a relay.
///
/// The figures are those of KumoMTA's `assets/policy-extras/shaping.toml` (looked up 2026-11-23; the
/// one for Orange is the stricter of two editions). Providers publish no rates, so none is set here.
pub(super) struct Provider {
    pub(super) name: &'static str,
    pub(super) limit: GroupLimit,
    /// Names that it has below several endings, and these endings.
    families: &'static [(&'static str, &'static str)],
    /// Whole domains.
    domains: &'static str,
}

impl Provider {
    pub(super) fn domains(&self) -> impl Iterator<Item = String> + use<> {
        let families = self.families.iter().flat_map(|(name, endings)| {
            endings
                .split_whitespace()
                .map(move |ending| format!("{name}.{ending}"))
        });
        families.chain(self.domains.split_whitespace().map(str::to_owned))
    }
}

const fn limit(connections: Option<usize>, messages_per_connection: Option<usize>) -> GroupLimit {
    GroupLimit {
        rate: None,
        connections,
        messages_per_connection,
    }
}

pub(super) fn of(name: &str) -> Option<&'static Provider> {
    ALL.iter().find(|provider| provider.name == name)
}

pub(super) const ALL: &[Provider] = &[
    Provider {
        name: "google",
        limit: limit(Some(5), Some(50)),
        families: &[],
        domains: "gmail.com googlemail.com",
    },
    Provider {
        name: "microsoft",
        limit: limit(Some(5), Some(50)),
        families: &[
            (
                "outlook",
                "com at be cl co.id co.il co.nz co.th com.ar com.au com.br com.gr com.pe com.tr com.vn \
                 cz de dk es fr hu ie in it jp kr lv my ph pt sa sg sk",
            ),
            (
                "hotmail",
                "com at be ca ch cl co co.id co.il co.in co.jp co.kr co.nz co.th co.uk co.za com.ar \
                 com.au com.br com.hk com.mx com.my com.ph com.sg com.tr com.tw com.vn cz de dk es fi \
                 fr gr hu ie it jp lt lv nl no ph pt rs se sg sk",
            ),
            (
                "live",
                "com at be ca ch cl cn co.in co.kr co.uk co.za com.ar com.au com.mx com.my com.ph \
                 com.pt com.sg de dk fi fr hk ie in it jp nl no ph pt ru se",
            ),
        ],
        domains: "msn.com passport.com windowslive.com",
    },
    // Yahoo's Japanese namesake has servers of its own.
    Provider {
        name: "yahoo",
        limit: limit(None, Some(20)),
        families: &[
            (
                "yahoo",
                "com at be bg ca cl co.hu co.id co.il co.in co.kr co.nz co.th co.uk co.za com.ar \
                 com.au com.br com.co com.hk com.hr com.mx com.my com.pe com.ph com.sg com.tr com.tw \
                 com.ua com.ve com.vn cz de dk ee es fi fr gr hr hu ie in it lt lv nl no pl pt ro rs se \
                 si sk",
            ),
            (
                "aol",
                "com at be ch cl co.nz co.uk com.ar com.au com.br com.mx cz de dk es fi fr hk in it jp kr nl pl ru se tw",
            ),
        ],
        domains: "ymail.com rocketmail.com myyahoo.com aim.com verizon.net netscape.net",
    },
    Provider {
        name: "apple",
        limit: limit(Some(10), Some(5)),
        families: &[],
        domains: "icloud.com me.com mac.com privaterelay.appleid.com",
    },
    Provider {
        name: "orange",
        limit: limit(Some(2), Some(100)),
        families: &[],
        domains: "orange.fr wanadoo.fr",
    },
    Provider {
        name: "comcast",
        limit: limit(Some(25), Some(1000)),
        families: &[],
        domains: "comcast.net",
    },
    // United Internet, which mail.com belongs to: the figure is that of mail.com.
    Provider {
        name: "gmx",
        limit: limit(None, Some(100)),
        families: &[("gmx", "at ch co.uk com de es eu fr info it li net org us")],
        domains: "web.de mail.com email.com",
    },
    Provider {
        name: "mailru",
        limit: limit(None, None),
        families: &[],
        domains: "mail.ru bk.ru inbox.ru list.ru internet.ru",
    },
];
