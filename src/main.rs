//! The whole program is in the library.

#[global_allocator]
static ALLOCATOR: letterpress::Allocator = letterpress::Allocator;

fn main() -> std::process::ExitCode {
    letterpress::cmd::run(std::env::args_os())
}
