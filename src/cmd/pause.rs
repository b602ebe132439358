//! `pause ISSUE`.

use super::project::Project;
use crate::{
    cli::PauseArgs,
    error::{Error, Result},
    exit::Exit,
};

pub(super) fn run(args: &PauseArgs, project: &Project) -> Result<Exit> {
    let _ = (args, project);
    Err(Error::bug("not there yet"))
}
