//! Flags of upstream's programs that mean nothing here: accepted, so that every manifest works, with one warning.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches};
use std::marker::PhantomData;

/// Which flags those are.
pub trait Upstream {
    /// Flags that take a value.
    const VALUES: &'static [&'static str];
    /// Flags that are on or off.
    const SWITCHES: &'static [&'static str];
}

/// The flags of `U` that were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherited<U> {
    given: Vec<&'static str>,
    of: PhantomData<U>,
}

impl<U> Inherited<U> {
    /// Says once that these flags do nothing.
    pub fn warn(&self) {
        self.warn_with(&[]);
    }

    /// Says it of these and of `others`, which are looked at for mistakes only.
    pub fn warn_with(&self, others: &[&'static str]) {
        let all = self.given.iter().chain(others);
        let flags: Vec<String> = all.map(|name| format!("--{name}")).collect();
        if !flags.is_empty() {
            tracing::warn!(flags = flags.join(" "), "these flags have no effect here");
        }
    }

    /// Their names.
    pub fn given(&self) -> &[&'static str] {
        &self.given
    }
}

impl<U: Upstream> FromArgMatches for Inherited<U> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = U::VALUES
            .iter()
            .chain(U::SWITCHES)
            .filter(|name| matches.value_source(name) == Some(ValueSource::CommandLine))
            .copied()
            .collect();
        Ok(Self {
            given,
            of: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<U: Upstream> clap::Args for Inherited<U> {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &&'static str| {
            Arg::new(*name)
                .long(*name)
                .hide(true)
                .action(ArgAction::Append)
        };
        let switch = |name| {
            flag(name)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
        };
        command
            .args(U::VALUES.iter().map(flag))
            .args(U::SWITCHES.iter().map(switch))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
