//! `rehearse ISSUE`.

use super::project::Project;
use crate::{
    cli::RehearseArgs,
    error::{Error, Result},
    exit::Exit,
};

pub(super) fn run(args: &RehearseArgs, project: &Project) -> Result<Exit> {
    let _ = (args, project);
    Err(Error::bug("not there yet"))
}
