//! The whole program is in the library.

fn main() -> std::process::ExitCode {
    letterpress::cmd::run(std::env::args_os())
}
