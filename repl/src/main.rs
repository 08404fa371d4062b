//! spelunk runs published Splunk searches on log files, without Splunk.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    spelunk::main()
}
