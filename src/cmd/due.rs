//! `send --due`: the cron line.

use super::project::Project;
use crate::{
    error::{Error, Result},
    exit::Exit,
};

pub(super) fn run(project: &Project) -> Result<Exit> {
    let _ = project;
    Err(Error::bug("not there yet"))
}
