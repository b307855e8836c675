//! Everything that can go wrong for a caller, with its HTTP status and business code
//! (contract section 3).

use poem::error::ResponseError;
use poem::http::StatusCode;
use poem_openapi::registry::{
    MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::{ApiResponse, Object};

/// `Result` with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What is wrong with one field of a body or query.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct FieldError {
    /// Path of the field, such as `settings.enable_chat`.
    pub field: String,
    /// The rule it breaks.
    pub message: String,
}

/// A refused request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Fields break their documented rules.
    #[error("{}", .0.first().map_or("bad request".to_owned(), |f| format!("{} {}", f.field, f.message)))]
    Invalid(Vec<FieldError>),
    /// The request as a whole makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// No token, or one that is not valid.
    #[error("unauthorized")]
    Unauthorized,
    /// The token was valid once.
    #[error("token expired")]
    TokenExpired,
    /// Login failed; unknown names are not told from wrong passwords.
    #[error("wrong username or password")]
    BadLogin,
    /// The old password of change-password is wrong.
    #[error("wrong password")]
    WrongPassword,
    /// The account is banned.
    #[error("account banned")]
    Banned,
    /// The caller has no right to this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// User name in use.
    #[error("username already exists")]
    UsernameTaken,
    /// E-mail address in use.
    #[error("email already exists")]
    EmailTaken,
    /// No such user.
    #[error("user does not exist")]
    NoSuchUser,
    /// No such meeting, or a deleted one.
    #[error("meeting does not exist")]
    NoSuchMeeting,
    /// The meeting has ended or was cancelled.
    #[error("meeting has ended")]
    MeetingEnded,
    /// The meeting holds as many people as it may.
    #[error("meeting is full")]
    MeetingFull,
    /// The meeting's password is missing or wrong.
    #[error("wrong meeting password")]
    WrongMeetingPassword,
    /// No such thing; the text names it.
    #[error("{0}")]
    NotFound(&'static str),
    /// The body is larger than allowed.
    #[error("request body too large")]
    TooLarge,
    /// A rate limit.
    #[error("too many requests")]
    TooMany {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// Something this needs is not available now.
    #[error("{0}")]
    Unavailable(&'static str),
    /// Services without which meetings do not work; each names what was measured.
    #[error("{}", .0.iter().map(|f| format!("{} is unhealthy: {}", f.field, f.message)).collect::<Vec<_>>().join("; "))]
    Unhealthy(Vec<FieldError>),
    /// Our own fault; the cause is logged and never sent.
    #[error("internal server error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One bad field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// An internal error from any cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// HTTP status.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        match self {
            Self::Invalid(_)
            | Self::BadRequest(_)
            | Self::WrongPassword
            | Self::UsernameTaken
            | Self::EmailTaken
            | Self::MeetingEnded
            | Self::MeetingFull => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::TokenExpired | Self::BadLogin => StatusCode::UNAUTHORIZED,
            Self::Banned | Self::Forbidden(_) | Self::WrongMeetingPassword => StatusCode::FORBIDDEN,
            Self::NoSuchUser | Self::NoSuchMeeting | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) | Self::Unhealthy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The `code` of the envelope: the business code where one fits, else the HTTP status.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::UsernameTaken => 1001,
            Self::EmailTaken => 1002,
            Self::NoSuchUser => 1003,
            Self::BadLogin | Self::WrongPassword => 1004,
            Self::TokenExpired => 1005,
            Self::NoSuchMeeting => 2001,
            Self::MeetingEnded => 2002,
            Self::MeetingFull => 2003,
            Self::WrongMeetingPassword => 2004,
            other => other.http_status().as_u16(),
        }
    }

    /// `Retry-After` in seconds, where it makes sense.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooMany { retry_after_s } => Some(*retry_after_s),
            Self::Unavailable(_) | Self::Unhealthy(_) => Some(5),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        Self::internal(cause)
    }
}

impl ResponseError for Error {
    fn status(&self) -> StatusCode {
        self.http_status()
    }
}

impl ApiResponse for Error {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Error",
                status: None,
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: "application/json; charset=utf-8",
                    schema: MetaSchemaRef::Reference("Error".to_owned()),
                }],
                headers: Vec::new(),
            }],
        }
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("Error".to_owned(), |registry| {
            use poem_openapi::types::Type;
            FieldError::register(registry);
            let inline = |ty| MetaSchemaRef::Inline(Box::new(MetaSchema::new(ty)));
            let details = MetaSchema {
                items: Some(Box::new(FieldError::schema_ref())),
                description: Some("On validation errors, and by service from /health."),
                ..MetaSchema::new("array")
            };
            MetaSchema {
                description: Some("The error envelope (contract section 2)."),
                required: vec!["code", "message", "timestamp", "request_id"],
                properties: vec![
                    ("code", inline("integer")),
                    ("message", inline("string")),
                    ("timestamp", crate::Timestamp::schema_ref()),
                    ("request_id", inline("string")),
                    ("details", MetaSchemaRef::Inline(Box::new(details))),
                ],
                ..MetaSchema::new("object")
            }
        });
    }
}
