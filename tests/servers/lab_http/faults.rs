//! Each scripted fault, as it appears on the wire.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use stored_ami_lab::{Fault, FaultRule, Operation};

use super::client::Answer;
use super::rig::{Rig, bytes};

const SIZE: usize = 700_001;

/// A lab with the object `/b/k`, and the response to one GET with a fault.
fn under(fault: Fault, headers: &[(&str, &str)]) -> (Rig, Vec<u8>, Answer) {
    let rig = Rig::new();
    let data = bytes(20, SIZE);
    rig.send("PUT", "/b/k", &[], &data);
    rig.lab.script(FaultRule::new(Operation::GetObject, fault));
    let answer = rig.send("GET", "/b/k", headers, b"");
    let clean = rig.send("GET", "/b/k", &[], b"");
    assert!(clean.status == 200 && clean.broken.is_none(), "the fault is spent");
    (rig, data, answer)
}

#[test]
fn error_answers() {
    let (rig, _, answer) = under(Fault::Status { status: 503, code: "SlowDown" }, &[]);
    assert_eq!((answer.status, &answer.code()[..]), (503, "SlowDown"));
    let call = &rig.lab.calls()[1];
    assert_eq!((call.status, call.fault.is_some(), call.bytes_sent), (503, true, answer.body.len() as u64));
    let (_, _, hidden) = under(Fault::SlowDownInside200, &[]);
    assert_eq!((hidden.status, &hidden.code()[..]), (200, "SlowDown"));
}

#[test]
fn bodies_that_end_too_soon() {
    let (_, data, reset) = under(Fault::ResetAfter(300_000), &[]);
    assert_eq!(reset.broken, Some(ErrorKind::ConnectionReset));
    assert!(data.starts_with(&reset.body) && reset.body.len() <= 300_000);

    let (_, data, close) = under(Fault::CloseAfter(300_000), &[]);
    assert_eq!(close.header("content-length"), Some("700001"));
    assert_eq!((close.broken, close.body == data[..300_000]), (Some(ErrorKind::UnexpectedEof), true));

    let (_, data, stalled) = under(Fault::StallAfter(300_000), &[]);
    assert_eq!((stalled.broken, stalled.body == data[..300_000]), (Some(ErrorKind::WouldBlock), true));

    let (_, data, early) = under(Fault::EndEarly(300_000), &[]);
    assert_eq!((early.broken, early.header("content-length")), (None, None));
    assert!(early.body == data[..300_000]);
}

#[test]
fn bodies_that_take_their_time() {
    let started = Instant::now();
    let (_, data, thin) = under(Fault::Trickle { after: SIZE as u64 - 1_000, rate: 10_000 }, &[]);
    assert!(thin.broken.is_none() && thin.body == data);
    assert!(started.elapsed() >= Duration::from_millis(100), "1,000 bytes at 10,000 a second");
}

#[test]
fn bodies_that_are_wrong() {
    let range = ("range", "bytes=100-199");
    let (_, data, short) = under(Fault::TooShort(7), &[range]);
    assert_eq!(
        (short.header("content-length"), short.header("content-range"), short.broken),
        (Some("93"), Some("bytes 100-199/700001"), None)
    );
    assert!(short.body == data[100..193]);
    let (_, data, more) = under(Fault::LengthLies(7), &[range]);
    assert_eq!((more.header("content-length"), more.broken), (Some("107"), Some(ErrorKind::WouldBlock)));
    assert!(more.body == data[100..200]);
    let (_, data, fewer) = under(Fault::LengthLies(-7), &[range]);
    assert_eq!((fewer.header("content-length"), fewer.body == data[100..193]), (Some("93"), true));
    let (_, data, long) = under(Fault::TooLong(7), &[range]);
    assert_eq!(
        (long.header("content-length"), long.header("content-range")),
        (Some("107"), Some("bytes 100-199/700001"))
    );
    assert!(long.body[..100] == data[100..200] && long.body.len() == 107);

    let (_, data, flipped) = under(Fault::FlipOnWire { offset: 600_000, mask: 1 }, &[]);
    let wrong: Vec<usize> = (0..SIZE).filter(|at| flipped.body[*at] != data[*at]).collect();
    assert_eq!(wrong, [600_000]);
}

#[test]
fn wrong_content_ranges() {
    let range = ("range", "bytes=100-199");
    for (fault, expected) in [
        (Fault::ContentRangeShifted(1), Some("bytes 101-200/700001")),
        (Fault::ContentRangeTotal(5), Some("bytes 100-199/5")),
        (Fault::HeaderAbsent("content-range"), None),
    ] {
        let (_, _, answer) = under(fault.clone(), &[range]);
        assert_eq!((answer.status, answer.header("content-range")), (206, expected), "{fault:?}");
    }
    let (_, data, whole) = under(Fault::RangeIgnored, &[range]);
    assert_eq!((whole.status, whole.header("content-range"), whole.body == data), (200, None, true));
}

#[test]
fn other_identities() {
    let (_, _, other) = under(Fault::OtherETag("beef".into()), &[]);
    assert_eq!(other.header("etag"), Some("\"beef\""));

    let (rig, data, before) = under(Fault::ReplaceObject, &[]);
    assert!(before.body == data, "the answer under way still reads the old bytes");
    let etag = before.header("etag").unwrap();
    assert_eq!(rig.send("GET", "/b/k", &[("if-match", etag)], b"").status, 412);
    assert!(rig.send("GET", "/b/k", &[], b"").body != data);
}

#[test]
fn objects_that_go() {
    let rig = Rig::new();
    let data = bytes(20, SIZE);
    rig.send("PUT", "/b/k", &[], &data);
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::DeleteObject));
    assert!(rig.send("GET", "/b/k", &[], b"").body == data, "the answer under way still has its bytes");
    assert_eq!(rig.send("HEAD", "/b/k", &[], b"").status, 404);
}

/// How a connection ends on which the object is requested.
fn ends(rig: &Rig) -> ErrorKind {
    let mut stream = TcpStream::connect(rig.lab.address()).unwrap();
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET /b/k HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        stream.read(&mut [0])
    };
    ask(&mut stream).unwrap_err().kind()
}

#[test]
fn no_answer_at_all() {
    let rig = Rig::new();
    rig.send("PUT", "/b/k", &[], b"x");
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::Dropped));
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::AnswerLost));
    assert_eq!([ends(&rig), ends(&rig)], [ErrorKind::ConnectionReset; 2]);
    // The connection is closed before the request, so the client may still be writing.
    rig.lab.script(FaultRule::new(Operation::Connect, Fault::Dropped));
    assert!(matches!(ends(&rig), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe));
    assert_eq!(rig.send("GET", "/b/k", &[], b"").body, b"x");
    let struck: Vec<_> = rig.lab.calls().into_iter().filter(|call| call.fault.is_some()).collect();
    assert_eq!(
        struck.iter().map(|call| (call.operation, call.status)).collect::<Vec<_>>(),
        [(Operation::GetObject, 0), (Operation::GetObject, 0), (Operation::Connect, 0)]
    );

    // A dropped request is not carried out; one whose response is lost is.
    for (fault, status) in [(Fault::Dropped, 404), (Fault::AnswerLost, 200)] {
        rig.lab.script(FaultRule::new(Operation::PutObject, fault));
        let mut stream = TcpStream::connect(rig.lab.address()).unwrap();
        stream.write_all(b"PUT /b/new HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(rig.send("HEAD", "/b/new", &[], b"").status, status);
    }
}

#[test]
fn faults_are_told_as_they_strike() {
    let rig = Rig::new();
    let mut told = rig.lab.faults();
    rig.send("PUT", "/b/k", &[], b"x");
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::RangeIgnored));
    for _ in 0..2 {
        rig.send("GET", "/b/k", &[("range", "bytes=0-0")], b"");
    }
    let call = told.try_recv().unwrap();
    assert_eq!((call.range.as_deref(), call.fault), (Some("bytes=0-0"), Some(Fault::RangeIgnored)));
    assert!(told.try_recv().is_err(), "one of two");
}

#[test]
fn habits_of_other_servers() {
    let rig = Rig::new();
    let parts = [bytes(21, 40_009), bytes(22, 10_007)];
    rig.multipart("/b/m", &[], &parts);
    rig.lab.script(FaultRule::new(Operation::GetObjectAttributes, Fault::AttributesIgnored));
    assert!(rig.attributes("/b/m", &[]).body == parts.concat());
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::PartHeadLies).skip(1).times(1));
    let sizes: Vec<_> = (0..3)
        .map(|_| rig.send("HEAD", "/b/m?partNumber=2", &[], b"").header("content-length").unwrap().to_owned())
        .collect();
    assert_eq!(sizes, ["10007", "50016", "10007"]);
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::PartSizesShifted(9)).times(2));
    let shifted = [1, 2].map(|part| {
        let head = rig.send("HEAD", &format!("/b/m?partNumber={part}"), &[], b"");
        (head.header("content-length").unwrap().to_owned(), head.header("content-range").unwrap().to_owned())
    });
    assert_eq!(shifted[0], ("40018".to_owned(), "bytes 0-40008/50016".to_owned()));
    assert_eq!(shifted[1], ("9998".to_owned(), "bytes 40009-50015/50016".to_owned()));
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::LengthLies(-9)));
    assert_eq!(rig.send("HEAD", "/b/m", &[], b"").header("content-length"), Some("50007"));
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::PartETag).always());
    let own = rig.lab.with_object("b", "m", |record| record.parts[1].etag.clone()).unwrap();
    let part = rig.send("HEAD", "/b/m?partNumber=2", &[], b"");
    assert_eq!(part.header("etag"), Some(&format!("\"{own}\"")[..]));
}
