//! What a rule costs for one message of about 800 bytes.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};

use sql::{Input, SqlVersion, Statement};

fn evaluate(criterion: &mut Criterion) {
    let payload = payload();
    let statements = [
        ("all", "SELECT * FROM 'dt/+'"),
        ("all where", "SELECT * FROM 'dt/+' WHERE temp > 20"),
        ("two fields", "SELECT temp, humidity AS h FROM 'dt/+'"),
    ];
    for (name, sql) in statements {
        let statement = Statement::parse(sql, SqlVersion::V2016_03_23).expect("the statement is right");
        let (uuid, random) = (String::new, || 0.5);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let input = Input::new(&payload, "dt/1", "123456789012", 0, "", &uuid, &random);
                statement.evaluate(black_box(&input))
            });
        });
    }
}

fn payload() -> Bytes {
    let readings: Vec<String> =
        (0..16).map(|n| format!(r#"{{"name":"sensor-{n}","value":{n}.25,"ok":true}}"#)).collect();
    let text = format!(r#"{{"device":"d1","readings":[{}],"temp":21.5,"humidity":40}}"#, readings.join(","));
    assert!((700..900).contains(&text.len()), "{} bytes", text.len());
    Bytes::from(text)
}

criterion_group!(benches, evaluate);
criterion_main!(benches);
