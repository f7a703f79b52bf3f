//! Enums whose variants have a name in words, the same in YAML, code and reports.

/// Defines an enum whose variants are read and written by name.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$variant_doc])* $variant,)* }

        impl $type {
            /// All of them, in the order of their definition.
            pub const ALL: &'static [$type] = &[$($type::$variant,)*];

            /// The name in YAML and reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $type::ALL.iter().copied().find(|one| one.name() == text).ok_or_else(|| {
                    let known: Vec<&str> = $type::ALL.iter().map(|one| one.name()).collect();
                    format!("unknown {} `{text}`: expected one of {}", $what, known.join(", "))
                })
            }
        }
    };
}
pub(crate) use named;
