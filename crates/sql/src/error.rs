//! What can be wrong with a statement's text, and what can go wrong while it runs.

use names::limits;

use crate::SqlVersion;

/// A text that is no statement or template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at {offset}")]
pub struct SqlError {
    /// What is wrong.
    pub problem: Problem,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something else was awaited here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What may stand here.
        expected: &'static str,
        /// What does stand here, in quotes.
        found: String,
    },
    /// A character that begins nothing.
    #[error("the character '{0}' has no meaning here")]
    Character(char),
    /// A string without its second quote.
    #[error("the string is not closed")]
    UnclosedString,
    /// `${` without `}`.
    #[error("the substitution template is not closed")]
    UnclosedTemplate,
    /// A number beyond the Decimal range.
    #[error("the number is out of range")]
    NumberRange,
    /// No function of AWS IoT SQL.
    #[error("the function {0} is unknown")]
    UnknownFunction(String),
    /// A function of AWS IoT SQL that Althing does not serve.
    #[error("the function {0} is not supported")]
    UnsupportedFunction(String),
    /// An operator or a pattern that is not served.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// Something that came with a later version of the language.
    #[error("{0} needs the SQL version {version}", version = SqlVersion::V2016_03_23)]
    NeedsVersion(String),
    /// A type word that cast does not know.
    #[error("cast knows no type {0}")]
    UnknownType(String),
    /// A select item that is neither a path nor a function.
    #[error("the expression needs a name: add AS name")]
    NeedsAlias,
    /// A variable that SET does not set before.
    #[error("the variable @{0} is not set")]
    UnknownVariable(String),
    /// A variable that is set twice.
    #[error("the variable @{0} is set twice")]
    VariableSetTwice(String),
    /// A variable's name is empty or too long.
    #[error("a variable's name has 1 to {VARIABLE_NAME_BYTES_MAX} letters, digits and underscores")]
    VariableName,
    /// More variables than one statement may have.
    #[error("a statement sets at most {VARIABLES_MAX} variables")]
    TooManyVariables,
    /// Nested deeper than [`limits::SQL_DEPTH_MAX`].
    #[error("the expression is nested deeper than {} levels", limits::SQL_DEPTH_MAX)]
    TooDeep,
    /// Longer than a rule may be.
    #[error("the text is longer than {} bytes", limits::RULE_PAYLOAD_BYTES_MAX)]
    TooLong,
}

/// Why a statement that is right could not be carried out for this message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// The work for one message is bounded (ours).
    #[error("the statement needs more work than one message may cause")]
    TooMuchWork,
    /// A function's result is longer than 1 MiB (ours; AWS bounds decode and transform by 128 KiB).
    #[error("the result of the function {0} is longer than {RESULT_BYTES_MAX} bytes")]
    ResultTooLong(&'static str),
    /// One variable, or all together, above 128 KiB of JSON (developer guide, iot-sql-set).
    #[error("the variable @{0} makes the variables' values longer than {VARIABLES_BYTES_MAX} bytes")]
    VariablesTooLong(String),
    /// `SELECT *, ...` of a payload that is no JSON object.
    #[error("SELECT * beside other items needs a payload that is a JSON object")]
    PayloadNotObject,
    /// `SELECT VALUE` of an array before 2016-03-23 (developer guide, iot-rule-sql-version).
    #[error("an array as the whole result needs the SQL version {}", SqlVersion::V2016_03_23)]
    ArrayNeedsVersion,
    /// A pattern that is right in Java but not in the linear engine here.
    #[error("the regular expression is not supported: {0}")]
    Regex(String),
    /// `decode` of protocol buffers.
    #[error("the function decode with 'proto' is not supported")]
    ProtobufNotServed,
    /// A date pattern that is right in Java but not served here.
    #[error("the letters '{0}' of a date pattern are not supported")]
    DatePattern(String),
}

/// Variables one SET clause may have (developer guide, iot-sql-set).
pub(crate) const VARIABLES_MAX: usize = 10;
/// Bytes of a variable's name (developer guide, iot-sql-set).
pub(crate) const VARIABLE_NAME_BYTES_MAX: usize = 64;
/// Bytes of all variables' values as JSON (developer guide, iot-sql-set).
pub(crate) const VARIABLES_BYTES_MAX: usize = 131_072;
/// Bytes of one function's result (ours).
pub(crate) const RESULT_BYTES_MAX: usize = 1_048_576;
