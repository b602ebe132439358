#![allow(
    missing_docs,
    clippy::all,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used
)]
use letterpress::{
    compose::{Validation, render_mjml},
    place::Text,
};
use std::time::Instant;
fn median(k: usize, mut f: impl FnMut() -> usize) -> f64 {
    f();
    let mut ts: Vec<f64> = (0..k)
        .map(|_| {
            let t = Instant::now();
            std::hint::black_box(f());
            t.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    ts.sort_by(|a, b| a.total_cmp(b));
    ts[k / 2]
}
fn main() {
    for n in [10, 100, 1000] {
        let s = std::fs::read_to_string(format!("/tmp/lp/p2/speed/d{n}.mjml")).unwrap();
        let text = Text::new("d.mjml", s.clone());
        let k = if n == 1000 { 11 } else { 41 };
        let ours = median(k, || {
            render_mjml(&text, Validation::Soft, &|_| unreachable!())
                .unwrap()
                .html
                .len()
        });
        let raw = median(k, || {
            let p = mrml::parse(&s).unwrap();
            p.element.render(&Default::default()).unwrap().len()
        });
        println!(
            "{n}: ours {ours:.2} ms, mrml {raw:.2} ms, {:.2}",
            ours / raw
        );
    }
}
