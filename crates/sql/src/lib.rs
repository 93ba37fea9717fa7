//! AWS IoT SQL: parser, values, evaluator, substitution templates.
//!
//! A [`Statement`] is parsed once, when a rule is made, and evaluated for every message; an [`Input`] is what it may ask
//! about the message. The payload is parsed at most once a message and shared by all statements and templates. Nothing
//! here reads a clock, draws a random number or does I/O: they come with the [`Input`]. The filter after FROM is only
//! kept, whoever routes messages matches it.
//!
//! ```
//! use bytes::Bytes;
//! use sql::{Input, SqlVersion, Statement};
//!
//! let statement = Statement::parse("SELECT temp AS t FROM 'room/+' WHERE temp > 20", SqlVersion::V2016_03_23)?;
//! let payload = Bytes::from_static(br#"{"temp": 21.5, "unit": "C"}"#);
//! let (uuid, random) = (|| String::from("27d5"), || 0.5);
//! let input = Input::new(&payload, "room/kitchen", "123456789012", 1_700_000_000_000, "trace", &uuid, &random);
//! assert_eq!(statement.evaluate(&input)?, Some(Bytes::from_static(br#"{"t":21.5}"#)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ast;
mod convert;
mod date_pattern;
mod decimal;
mod error;
mod evaluate;
mod functions;
mod input;
mod json;
mod lexer;
mod operators;
mod output;
mod parser;
mod statement;
mod template;
mod value;
mod version;

pub use decimal::Decimal;
pub use error::{EvaluateError, Problem, SqlError};
pub use input::{Input, ParsedPayload, PublishProperties};
pub use json::NotJson;
pub use output::{Output, Variables};
pub use statement::Statement;
pub use template::Template;
pub use value::{Object, Value};
pub use version::{SqlVersion, UnknownSqlVersion};
