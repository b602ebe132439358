//! `resume ISSUE`.

use super::project::Project;
use crate::{
    cli::ResumeArgs,
    error::{Error, Result},
    exit::Exit,
};

pub(super) fn run(args: &ResumeArgs, project: &Project) -> Result<Exit> {
    let _ = (args, project);
    Err(Error::bug("not there yet"))
}
