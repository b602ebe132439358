//! `cancel ISSUE`.

use super::project::Project;
use crate::{
    cli::CancelArgs,
    error::{Error, Result},
    exit::Exit,
};

pub(super) fn run(args: &CancelArgs, project: &Project) -> Result<Exit> {
    let _ = (args, project);
    Err(Error::bug("not there yet"))
}
