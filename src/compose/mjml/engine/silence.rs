//! A panic that is caught says nothing: what people see is the error that we make of it.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that may panic; `None` when it did. Panics elsewhere are told as ever.
pub(super) fn quietly<T>(run: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                tell(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    // Nothing that the closure changes is looked at after a panic.
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(before);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_the_next_run_is_as_ever() {
        assert_eq!(quietly(|| 1), Some(1));
        let zero = std::hint::black_box(0);
        assert_eq!(quietly(|| 1 / zero), None);
        assert_eq!(quietly(|| 2), Some(2));
        assert!(!QUIET.get());
    }
}
