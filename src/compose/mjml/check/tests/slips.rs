//! Slips of the pen, and what their author needs to hear.

use super::*;

#[test]
fn signs_between_a_name_and_its_value_are_asked_for() {
    assert_found(
        &in_column(
            "<mj-text color:\"red\" align:center color \"blue\" class='a' vml-width='1'>a</mj-text>",
        ),
        &[
            "2:10 mjml-unknown-attribute `<mj-text>` has no attribute `color:\"red\"` | Write `color=\"red\"`.",
            "2:22 mjml-unknown-attribute `<mj-text>` has no attribute `align:center` | Write `align=\"center\"`.",
            "2:35 mjml-bad-value `color` of `<mj-text>` is empty | Write a color such as `#ff0000` or `red`.",
            "2:41 mjml-unknown-attribute `<mj-text>` has no attribute `\"blue\"` | Write `=` between a name and its value.",
            "2:48 mjml-unknown-attribute `<mj-text>` has no attribute `class` | Did you mean `css-class`?",
            "2:58 mjml-unknown-attribute `<mj-text>` has no attribute `vml-width` | It changes nothing.",
        ],
    );
}

#[test]
fn values_that_look_right_are_shown_as_they_would_be() {
    assert_found(
        &in_column("<mj-text color=“red” height='50 px' padding='5 px'>é</mj-text>"),
        &[
            "2:16 mjml-bad-value `color` of `<mj-text>` is `“red”` | Write straight quotes: `\"`.",
            "2:30 mjml-bad-value `height` of `<mj-text>` is `50 px` | Write `50px`.",
            "2:46 mjml-bad-value `padding` of `<mj-text>` is `5 px` | Write one to four lengths in px or %, such as `10px 25px`.",
        ],
    );
}

#[test]
fn a_class_that_is_missing_is_told_of_once() {
    let hint = "Define it in `<mj-attributes>`: `<mj-class name=\"a\" />`.";
    assert_found(
        &in_column("<mj-text mj-class='a'>b</mj-text><mj-text mj-class='a'>c</mj-text>"),
        &[&format!(
            "2:20 mjml-unknown-class no `<mj-class>` is named `a` | {hint}"
        )],
    );
}

#[test]
fn a_text_that_is_no_mjml_is_told_so_once() {
    assert_found(
        &found("hello"),
        &["1:1 !mjml-structure there is no `<mjml>` element | Put everything into `<mjml>`."],
    );
}

#[test]
fn parts_stand_in_what_is_made_of_them_and_nothing_else_does() {
    let left_out = "it is left out otherwise";
    assert_found(
        &in_column("<mj-navbar-link>a</mj-navbar-link><mj-social><mj-text>a</mj-text></mj-social>"),
        &[
            &format!(
                "2:1 !mjml-structure `<mj-navbar-link>` cannot stand in `<mj-column>` | Put it into `<mj-navbar>`; {left_out}."
            ),
            &format!(
                "2:46 !mjml-structure `<mj-text>` cannot stand in `<mj-social>` | Put it into `<mj-column>` or `<mj-hero>`; {left_out}."
            ),
        ],
    );
}
