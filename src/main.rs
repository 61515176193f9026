use std::process::ExitCode;

use stored_ami::cli::{Cli, run};

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "there is no terminal to render to yet")]
            {
                eprintln!("stored-ami: no runtime: {error}");
            }
            return ExitCode::from(4);
        }
    };
    let exit = runtime.block_on(run(cli));
    // A lane may still be hashing what nobody waits for.
    runtime.shutdown_background();
    ExitCode::from(exit.code())
}
