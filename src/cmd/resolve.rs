//! `resolve ISSUE`.

use super::project::Project;
use crate::{
    cli::ResolveArgs,
    error::{Error, Result},
    exit::Exit,
};

pub(super) fn run(args: &ResolveArgs, project: &Project) -> Result<Exit> {
    let _ = (args, project);
    Err(Error::bug("not there yet"))
}
