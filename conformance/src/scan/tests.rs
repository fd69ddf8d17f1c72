//! Planted secrets are found wherever they are, and nothing is found where there is none.

use std::fs;
use std::io::Write;

use assay_laws::laws;
use assay_model::actor::MARKER_PREFIX;
use assay_model::id::{CredentialId, NodeId};
use assay_sim::spelling::{Spelling, spellings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use redb::ReadableTable as _;
use uuid::Uuid;

use super::*;

const DIGITS: &str = "4f1c000000004000";

fn secret() -> String {
    format!("{MARKER_PREFIX}{DIGITS}")
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).unwrap()
}

/// Bytes without order, the same each time.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

fn found_in(bytes: &[u8]) -> Findings {
    Scanner::new(&[]).bytes(Kind::Data, "file", bytes)
}

fn found_at(path: &Path) -> Findings {
    let place = Place {
        kind: Kind::Data,
        label: "dir".to_owned(),
        path: path.to_owned(),
    };
    Scanner::new(&[]).search(&[place])
}

/// Whether a hit with these digits is in frames packed like this. Of what does not get smaller by it,
/// packers keep the bytes as they are, and then it is also found outside.
fn marked(findings: &Findings, packings: &[Packing]) -> bool {
    findings.hits.iter().any(|hit| {
        let packed: Vec<Packing> = hit.container.iter().map(|frame| frame.packing).collect();
        hit.digits.as_deref() == Some(DIGITS) && packed == packings
    })
}

#[test]
fn a_secret_is_found_and_named_in_every_spelling() {
    for (spelling, text) in spellings(format!("{}--more", secret()).as_bytes()) {
        let findings = found_in(&[b"before ".as_slice(), &text, b" after"].concat());
        let hit = findings.hits.iter().find(|hit| hit.spelling == spelling);
        let digits = hit.and_then(|hit| hit.digits.as_deref());
        assert_eq!(digits, Some(DIGITS), "{spelling}: {findings:?}");
    }
}

#[test]
fn a_secret_is_found_in_containers_and_streams() {
    use Packing::{Gzip, Zstd};

    let line = format!("{{\"level\":\"info\",\"body\":\"{}\"}}\n", secret());
    let text = [noise(700, 1), line.clone().into_bytes(), noise(700, 2)].concat();
    let page = [noise(4096, 3), text.clone(), vec![0; 4096]].concat();
    let request = format!("POST /rpc/v1 HTTP/1.1\r\ncontent-length: 200\r\n\r\n{line}");
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() * 3 / 4].to_vec();
    let long = [text.clone(), noise(400_000, 4)].concat();
    let table: [(&str, Vec<u8>, &[Packing]); 10] = [
        ("a log", line.clone().into_bytes(), &[]),
        ("a page", page, &[]),
        ("a captured request", request.into_bytes(), &[]),
        ("base64 in a log", STANDARD.encode(&text).into_bytes(), &[]),
        ("zstd", zstd(&text), &[Zstd]),
        (
            "gzip amid noise",
            [noise(99, 5), gzip(&text), noise(99, 6)].concat(),
            &[Gzip],
        ),
        (
            "zstd in gzip in zstd",
            zstd(&gzip(&zstd(&text))),
            &[Zstd, Gzip, Zstd],
        ),
        ("zstd cut off", cut(zstd(&long)), &[Zstd]),
        ("gzip cut off", cut(gzip(&long)), &[Gzip]),
        (
            "two members",
            [gzip(b"first"), gzip(&text)].concat(),
            &[Gzip],
        ),
    ];
    for (what, bytes, packings) in table {
        let findings = found_in(&bytes);
        assert!(marked(&findings, packings), "{what}: {findings:?}");
        assert!(findings.doubts.is_empty(), "{what}: {:?}", findings.doubts);
    }
}

#[test]
fn a_secret_at_the_border_of_two_pieces_is_found_once() {
    let limits = Limits {
        piece: 64,
        ..Limits::default()
    };
    let scanner = Scanner::with(&[], limits);
    for before in 0..200 {
        let text = [vec![b'.'; before], secret().into_bytes(), vec![b'.'; 300]].concat();
        let findings = scanner.bytes(Kind::PeerTraffic, "stream", &text);
        let [hit] = findings.hits.as_slice() else {
            panic!("{before}: {findings:?}")
        };
        let told = (hit.offset, hit.digits.as_deref());
        assert_eq!(told, (before as u64, Some(DIGITS)));
        assert_eq!(findings.bytes, text.len() as u64);
    }
}

#[test]
fn a_secret_in_a_redb_file_is_found_also_when_its_row_is_gone() {
    const ROWS: redb::TableDefinition<'_, u64, &str> = redb::TableDefinition::new("rows");

    let dir = tempfile::tempdir().unwrap();
    let database = redb::Database::create(dir.path().join("data.redb")).unwrap();
    let change = |then: &dyn Fn(&mut redb::Table<'_, u64, &str>)| {
        let transaction = database.begin_write().unwrap();
        then(&mut transaction.open_table(ROWS).unwrap());
        transaction.commit().unwrap();
    };
    change(&|table| {
        table.insert(1, secret().as_str()).unwrap();
        table.insert(2, "another row").unwrap();
    });
    assert!(marked(&found_at(dir.path()), &[]));

    change(&|table| {
        table.remove(1).unwrap();
    });
    let table = database.begin_read().unwrap().open_table(ROWS).unwrap();
    assert_eq!(table.iter().unwrap().count(), 1);
    assert!(marked(&found_at(dir.path()), &[]));
}

#[test]
fn nothing_is_found_in_clean_data() {
    let near = format!("{} assay-secret {}", &MARKER_PREFIX[..12], "ASSAY-SECRET-");
    for clean in [
        noise(1 << 20, 7),
        near.into_bytes(),
        zstd(&noise(9999, 8)),
        vec![],
    ] {
        let findings = found_in(&clean);
        assert_eq!((findings.hits, findings.doubts), (vec![], vec![]));
        assert_eq!(findings.files, 1);
    }
}

#[test]
fn deleted_content_is_found_as_text_and_as_bytes() {
    let id = CredentialId(Uuid::from_u128(9 << 112));
    let bytes = noise(600, 9);
    let stored = STANDARD.encode(&bytes);
    let needle = Needle::content(id.0.to_string(), &stored).unwrap();
    let scanner = Scanner::new(&[needle]);
    let forms: [(&str, Vec<u8>, Spelling); 4] = [
        ("as stored", stored.clone().into_bytes(), Spelling::Raw),
        ("decoded", bytes.clone(), Spelling::Raw),
        (
            "decoded, in hex",
            hex::encode(&bytes).into_bytes(),
            Spelling::HexLower,
        ),
        (
            "stored, in base64 once more",
            STANDARD.encode(format!("x{stored}")).into_bytes(),
            Spelling::Base64(1),
        ),
    ];
    for (what, form, spelling) in forms {
        for kind in [
            Kind::Data,
            Kind::Log,
            Kind::PeerTraffic,
            Kind::ClientTraffic,
        ] {
            let text = [noise(50, 10), form.clone(), noise(50, 11)].concat();
            let findings = scanner.bytes(kind, "file", &text);
            let told = findings.hits.iter().any(|hit| hit.spelling == spelling);
            assert!(told, "{what}: {findings:?}");
            let expected = match kind {
                Kind::Data | Kind::Log => Level::History,
                Kind::PeerTraffic | Kind::ClientTraffic => Level::Gone,
            };
            let level = Evidence::of(id, false, None, &findings).level();
            assert_eq!(level, expected, "{what}");
        }
    }
    let other = CredentialId(Uuid::from_u128(8 << 112));
    let findings = scanner.bytes(Kind::Data, "file", &bytes);
    assert_eq!(
        Evidence::of(other, false, None, &findings).level(),
        Level::Gone
    );
}

#[test]
fn a_marked_secret_belongs_to_the_credential_whose_digits_it_has() {
    let id = |digits: &str| CredentialId(Uuid::parse_str(&format!("{digits:0<32}")).unwrap());
    let findings = found_in(secret().as_bytes());
    let level = |digits| Evidence::of(id(digits), true, None, &findings).level();
    assert_eq!(level(DIGITS), Level::Plaintext);
    assert_eq!(level("4f1c000000004001"), Level::Readable);
}

#[test]
fn needles_that_chance_would_write_are_refused() {
    let error = Needle::new("short", b"elevenbytes").unwrap_err();
    assert!(
        error.to_string().contains("`short` has 11 bytes"),
        "{error}"
    );
    // Content that is no base64 is still searched for as it is.
    assert!(Needle::content("odd", "not base64 at all!").is_ok());
}

#[test]
fn what_cannot_be_searched_is_a_doubt() {
    let limits = Limits {
        frame: 10_000,
        depth: 1,
        ..Limits::default()
    };
    let scanner = Scanner::with(&[], limits);
    let bomb = zstd(&vec![0; 1_000_000]);
    let nested = gzip(&zstd(&noise(100, 12)));
    let needs = {
        let mut packer = zstd::bulk::Compressor::with_dictionary(3, &dictionary()).unwrap();
        packer.compress(&noise(500, 13)).unwrap()
    };
    for (bytes, expected) in [
        (bomb, "holds more than 10000 bytes"),
        (nested, "frames more than 1 deep"),
        (needs, "cannot be unpacked"),
    ] {
        let findings = scanner.bytes(Kind::Data, "n1/data/x", &bytes);
        let [doubt] = findings.doubts.as_slice() else {
            panic!("{findings:?}")
        };
        assert!(
            doubt.contains(expected) && doubt.starts_with("n1/data/x"),
            "{doubt}"
        );
    }
}

fn dictionary() -> Vec<u8> {
    let samples: Vec<Vec<u8>> = (0..200)
        .map(|i| format!("row {i}: name=assay city=Lisboa number={}", i * 7919).into_bytes())
        .collect();
    zstd::dict::from_samples(&samples, 1024).unwrap()
}

#[test]
fn a_bomb_is_searched_as_far_as_allowed() {
    let limits = Limits {
        frame: 10_000,
        ..Limits::default()
    };
    let text = [secret().into_bytes(), vec![0; 1_000_000]].concat();
    let findings = Scanner::with(&[], limits).bytes(Kind::Data, "x", &zstd(&text));
    assert!(marked(&findings, &[Packing::Zstd]));
    assert!(findings.bytes < 12_000, "{}", findings.bytes);
}

#[test]
fn many_hits_of_one_secret_leave_room_for_others() {
    let text = format!("{}\n", secret()).repeat(100);
    let other = format!("{MARKER_PREFIX}0000000000000001");
    let findings = found_in(format!("{text}{other}").as_bytes());
    assert_eq!(findings.hits.len(), 17);
    assert_eq!(findings.left_out, 84);
}

#[test]
fn files_come_in_order_and_links_are_not_followed() {
    use std::os::unix::fs::symlink;

    let dir = tempfile::tempdir().unwrap();
    let (data, outside) = (dir.path().join("data"), dir.path().join("outside"));
    fs::create_dir_all(data.join("b")).unwrap();
    fs::write(&outside, secret()).unwrap();
    for name in ["b/2", "b/1", "a"] {
        fs::write(data.join(name), secret()).unwrap();
    }
    symlink("a", data.join("inside")).unwrap();
    symlink("nowhere", data.join("dangling")).unwrap();
    symlink(&outside, data.join("out")).unwrap();
    let missing = data.join("missing");
    let remains = Remains {
        data: vec![data],
        logs: vec![missing],
        ..Remains::default()
    };
    let places = places(NodeId(0), &remains);
    let findings = Scanner::new(&[]).search(&places);
    let paths: Vec<&str> = findings.hits.iter().map(|hit| hit.path.as_str()).collect();
    assert_eq!(paths, ["n1/data/a", "n1/data/b/1", "n1/data/b/2"]);
    let [link, log] = findings.doubts.as_slice() else {
        panic!("{findings:?}")
    };
    assert!(link.starts_with("n1/data/out is a symbolic link"), "{link}");
    assert!(log.starts_with("n1/log cannot be looked at"), "{log}");
    assert_eq!(findings, Scanner::new(&[]).search(&places));
}

#[test]
fn a_control_is_found_set_apart_and_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let control = plant(dir.path()).unwrap();
    fs::write(dir.path().join("log"), secret()).unwrap();
    let of_log = Place {
        kind: Kind::Log,
        label: "n1/log".to_owned(),
        path: dir.path().join("log"),
    };
    let findings = Scanner::new(&[]).search(&[control.place(), of_log]);
    assert_eq!(control.missed(&findings), [""; 0]);
    assert!(control.found(&findings));

    let kept = findings.clone().without_control();
    let paths: Vec<&str> = kept.hits.iter().map(|hit| hit.path.as_str()).collect();
    assert_eq!(paths, ["n1/log"]);
    assert!(!control.found(&kept));

    // One spelling in one container less is noticed.
    let mut less = findings;
    let last = less
        .hits
        .iter()
        .position(|hit| hit.spelling == Spelling::Utf16);
    less.hits.remove(last.unwrap());
    assert_eq!(control.missed(&less).len(), 1);

    control.remove().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_hit_says_where_it_is() {
    let text = [
        b"..".as_slice(),
        &zstd(format!("ab{}", secret()).as_bytes()),
    ]
    .concat();
    let findings = found_in(&text);
    let hit = findings.hits.iter().find(|hit| !hit.container.is_empty());
    assert_eq!(
        hit.unwrap().to_string(),
        format!("marked-secret {DIGITS}, as it is, at byte 2 of the zstd frame at byte 2 of file")
    );
    let json = serde_json::to_value(hit).unwrap();
    assert_eq!(json["container"][0]["packing"], "zstd");
    assert_eq!(json["spelling"], "as it is");
}

laws! {
    64;

    fn a_secret_at_any_place_of_random_data_is_found(
        before in prop::collection::vec(any::<u8>(), 0..3000),
        after in prop::collection::vec(any::<u8>(), 0..3000),
        piece in 1_usize..2000,
        which in 0_usize..32,
    ) {
        let spelled = spellings(secret().as_bytes());
        let (_, text) = &spelled[which % spelled.len()];
        let scanner = Scanner::with(&[], Limits { piece, ..Limits::default() });
        let bytes = [before.clone(), text.clone(), after].concat();
        let findings = scanner.bytes(Kind::Data, "x", &bytes);
        let near = |hit: &Hit| {
            hit.container.is_empty() && hit.offset.abs_diff(before.len() as u64) <= 1
        };
        prop_assert!(findings.hits.iter().any(near), "{findings:?}");
    }
}
