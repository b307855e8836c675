//! One thin file for each documented group of endpoints.

mod auth;
mod described;
mod meetings;
mod messages;
mod my;
mod participants;
mod sessions;
mod stats;
mod system;
mod tokens;
mod users;

pub use participants::ParticipantView;

use crate::{App, page};
use poem::{Endpoint as _, EndpointExt as _, Route};
use poem_openapi::{OpenApiService, Tags};

/// Groups in the OpenAPI document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Tags)]
pub(crate) enum Group {
    /// Registering, logging in and out.
    Authentication,
    /// The own account.
    Users,
    /// Meetings and what happens in them.
    Meetings,
    /// The caller's meetings.
    #[oai(rename = "My meetings")]
    MyMeetings,
    /// Signalling sessions.
    Signaling,
    /// Guests' ways in.
    #[oai(rename = "Access tokens")]
    AccessTokens,
    /// Health and metrics.
    System,
}

/// All of the REST API as one poem-openapi service.
macro_rules! service {
    ($app:expr) => {{
        let app: &App = $app;
        OpenApiService::new(
            (
                auth::AuthApi { app: app.clone() },
                users::UsersApi { app: app.clone() },
                meetings::MeetingsApi { app: app.clone() },
                participants::ParticipantsApi { app: app.clone() },
                messages::MessagesApi { app: app.clone() },
                my::MyApi { app: app.clone() },
                tokens::TokensApi { app: app.clone() },
                sessions::SessionsApi { app: app.clone() },
                stats::StatsApi { app: app.clone() },
                system::SystemApi { app: app.clone() },
                described::Described,
            ),
            "Weir",
            env!("CARGO_PKG_VERSION"),
        )
        .description("A selective-forwarding media server. Contract version v1.0.0.")
    }};
}

/// The OpenAPI document as it is published at `/openapi.json`.
#[must_use]
pub fn openapi_document(app: &App) -> String {
    service!(app).spec()
}

/// Everything that is served.
pub(crate) fn routes(app: &App) -> Route {
    let service = service!(app);
    let spec = service.spec();
    let docs = service.swagger_ui_html();
    // A service at the root takes "/" too: the page goes first.
    let service = service.around(|service, request| async move {
        if matches!(request.uri().path(), "" | "/") {
            return page::index().call(request).await;
        }
        service.call(request).await.map(poem::IntoResponse::into_response)
    });
    Route::new()
        .nest("/", service)
        .at("/openapi.json", page::json_file(spec))
        .at("/docs", page::docs(docs))
        .at("/m/:id", page::index())
        .at("/assets/*path", page::asset())
}
