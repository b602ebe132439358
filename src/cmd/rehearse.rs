//! `rehearse ISSUE`: the whole send to a relay of ours that misbehaves, and the proof.

mod stage;

use super::project::Project;
use crate::{
    cli::RehearseArgs,
    error::{Error, Result},
    exit::Exit,
};

pub(super) use stage::{RETRY, stage};

pub(super) fn run(args: &RehearseArgs, project: &Project) -> Result<Exit> {
    let _ = (args, project);
    Err(Error::bug("not there yet"))
}
