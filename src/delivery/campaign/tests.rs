use super::*;
use crate::fs::Access;

fn freeze(campaigns: &Path, id: &str, files: &[(&str, &[u8])]) -> Result<Frozen> {
    let mut freezing = Freezing::begin(campaigns, id, 0)?;
    for (name, content) in files {
        freezing.add(name, content)?;
    }
    freezing.finish()
}

const FILES: [(&str, &[u8]); 2] = [("edition.json", b"{}"), ("audience.jsonl", b"one\ntwo\n")];

#[test]
fn what_is_frozen_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(folder.path(), "welcome@all", 0).unwrap(), None);
    let frozen = freeze(folder.path(), "welcome@all", &FILES).unwrap();
    let again = open(folder.path(), "welcome@all", 0).unwrap().unwrap();
    assert_eq!(again, frozen);
    assert_eq!(again.file("audience.jsonl").unwrap(), b"one\ntwo\n");
    assert_eq!(again.hash_of("edition.json"), Some(sha256(b"{}").as_str()));
    assert_eq!(again.hash().len(), 64);
    assert_eq!(again.lines("audience.jsonl").unwrap().len(), 2);
    assert_eq!(
        fs::list(folder.path()).unwrap(),
        [folder.path().join("welcome@all")]
    );
    assert_eq!(open(folder.path(), "welcome@all#sandbox", 0).unwrap(), None);
}

#[test]
fn the_hash_is_that_of_the_content() {
    let folder = tempfile::tempdir().unwrap();
    let one = freeze(folder.path(), "a@all", &FILES).unwrap();
    let same = freeze(folder.path(), "b@all", &[FILES[1], FILES[0]]).unwrap();
    let other = freeze(
        folder.path(),
        "c@all",
        &[FILES[0], ("audience.jsonl", b"one\n")],
    )
    .unwrap();
    assert_eq!(one.hash(), same.hash());
    assert_ne!(one.hash(), other.hash());
}

#[test]
fn freezing_anew_replaces_what_a_crash_left() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        &folder.path().join(".a@all.new/edition.json"),
        b"half",
        Access::Private,
    )
    .unwrap();
    fs::write(
        &folder.path().join(".a@all.old/left.json"),
        b"old",
        Access::Private,
    )
    .unwrap();
    fs::write(
        &folder.path().join("a@all/orphan.json"),
        b"old",
        Access::Private,
    )
    .unwrap();
    assert_eq!(open(folder.path(), "a@all", 0).unwrap(), None);
    let frozen = freeze(folder.path(), "a@all", &FILES).unwrap();
    frozen.file("edition.json").unwrap();
    assert_eq!(
        fs::list(folder.path()).unwrap(),
        [folder.path().join("a@all")]
    );
    assert_eq!(fs::list(frozen.folder()).unwrap().len(), 3);
}

#[test]
fn what_was_changed_since_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = freeze(folder.path(), "a@all", &FILES).unwrap();
    fs::write(
        &frozen.folder().join("edition.json"),
        b"{ }",
        Access::Private,
    )
    .unwrap();
    std::fs::remove_file(frozen.folder().join("audience.jsonl")).unwrap();
    for error in [
        frozen.file("edition.json").unwrap_err(),
        frozen.lines("edition.json").unwrap_err(),
        frozen.lines("audience.jsonl").unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Unavailable);
    }
    let manifest = frozen.folder().join(MANIFEST);
    let text = fs::read_text(&manifest)
        .unwrap()
        .replace("\"bytes\": 2", "\"bytes\": 3");
    fs::write(&manifest, text.as_bytes(), Access::Private).unwrap();
    assert_eq!(
        open(folder.path(), "a@all", 0).unwrap_err().kind(),
        Kind::Unavailable
    );
}

#[test]
fn folders_have_safe_names() {
    for (id, name) in [
        ("welcome@all#sandbox", "welcome@all#sandbox"),
        ("../../etc", "%2e.%2f..%2fetc"),
        (
            "Weekly@all@2026-11-23T08:00Z",
            "%57eekly@all@2026-11-23%5408%3a00%5a",
        ),
        ("é", "%c3%a9"),
    ] {
        assert_eq!(folder_name(id, 0), name);
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "../a", ".a", "a/b", "manifest.json", "a b"] {
        let error = freeze(folder.path(), "a", &[(name, b"")]).unwrap_err();
        assert_eq!(error.kind(), Kind::Bug, "{name}");
    }
    assert_eq!(
        freeze(folder.path(), "a", &[FILES[0], FILES[0]])
            .unwrap_err()
            .kind(),
        Kind::Bug
    );
}

#[test]
fn a_generation_has_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let first = freeze(folder.path(), "a@all#sandbox", &FILES).unwrap();
    let mut second = Freezing::begin(folder.path(), "a@all#sandbox", 1).unwrap();
    let mut stream = second.stream("audience.jsonl").unwrap();
    for piece in ["one\nt", "wo\n", "three\n"] {
        stream.write(piece.as_bytes()).unwrap();
    }
    assert_eq!(stream.finish().unwrap(), sha256(b"one\ntwo\nthree\n"));
    let second = second.finish().unwrap();
    assert_eq!(second.folder(), folder.path().join("a@all#sandbox+1"));
    let open = |generation| open(folder.path(), "a@all#sandbox", generation).unwrap();
    assert_eq!(open(0), Some(first));
    assert_eq!(open(1), Some(second));
    assert_eq!(open(2), None);
    let third = open(1).unwrap().lines("audience.jsonl").unwrap();
    assert_eq!(third.get(2).unwrap().unwrap(), b"three");
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = freeze(folder.path(), "a@all", &FILES).unwrap();
    let mut freezing = Freezing::begin(folder.path(), "a@all", 0).unwrap();
    freezing.add("edition.json", b"other").unwrap();
    drop(freezing);
    assert_eq!(
        fs::list(folder.path()).unwrap(),
        [folder.path().join("a@all")]
    );
    assert_eq!(first.file("edition.json").unwrap(), b"{}");
}
