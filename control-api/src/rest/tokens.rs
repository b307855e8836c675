//! `/api/v1/meetings/{id}/access-tokens...` (contract section 10, guests and keys).

use super::Group;
use super::meetings::guarded;
use crate::auth::caller::CallerOrKey;
use crate::domain::access::{self, Manager, NewAccess};
use crate::domain::types::MeetingId;
use crate::http::body::JsonBody;
use crate::http::params::Id;
use crate::http::rules::{Flag, integer, text};
use crate::store::tokens::AccessToken;
use crate::{App, Empty, Reply, Result, Timestamp};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};

/// Life of an access token in seconds when none is asked for, and at most.
const LONGEST_LIFE_S: i64 = 24 * 3600;

pub(super) struct TokensApi {
    pub(super) app: App,
}

crate::input! {
    /// An access token to be made.
    pub(super) struct AccessTokenCreate {
        /// Name of the guest.
        required name: String = text(1, 50).trimmed().without_controls();
        /// May send media; yes when absent.
        optional can_publish: Option<bool> = Flag;
        /// May receive media; yes when absent.
        optional can_subscribe: Option<bool> = Flag;
        /// May chat; yes when absent.
        optional can_publish_data: Option<bool> = Flag;
        /// Not shown to others; no when absent.
        optional hidden: Option<bool> = Flag;
        /// Life in seconds, at most (and when absent) 24 h.
        optional expires_in: Option<i64> = integer(1, LONGEST_LIFE_S);
        /// How many guests it lets in; no end when absent.
        optional max_uses: Option<i64> = integer(1, 1_000_000);
    }
}

/// An access token without its secret.
#[derive(Debug, Object)]
pub(super) struct AccessTokenView {
    token_id: String,
    meeting_id: MeetingId,
    name: String,
    can_publish: bool,
    can_subscribe: bool,
    can_publish_data: bool,
    hidden: bool,
    created_at: Timestamp,
    expires_at: Timestamp,
    max_uses: Option<i64>,
    uses: i64,
}

impl From<AccessToken> for AccessTokenView {
    fn from(row: AccessToken) -> Self {
        Self {
            token_id: row.token_id,
            meeting_id: row.meeting_id,
            name: row.name,
            can_publish: row.can_publish,
            can_subscribe: row.can_subscribe,
            can_publish_data: row.can_publish_data,
            hidden: row.hidden,
            created_at: row.created_at,
            expires_at: row.expires_at,
            max_uses: row.max_uses,
            uses: row.uses,
        }
    }
}

/// A new access token with its secret, which is shown this once.
#[derive(Debug, Object)]
pub(super) struct AccessTokenCreated {
    /// The secret: Bearer of WHIP and WHEP, `token` of the WebSocket.
    token: String,
    token_id: String,
    meeting_id: MeetingId,
    name: String,
    can_publish: bool,
    can_subscribe: bool,
    can_publish_data: bool,
    hidden: bool,
    /// Life in seconds.
    expires_in: i64,
    expires_at: Timestamp,
    max_uses: Option<i64>,
}

/// The access tokens of a meeting.
#[derive(Debug, Object)]
pub(super) struct AccessTokenList {
    access_tokens: Vec<AccessTokenView>,
    total: i64,
}

#[OpenApi(prefix_path = "/api/v1/meetings", tag = "Group::AccessTokens")]
impl TokensApi {
    /// Make an access token for guests
    #[oai(path = "/:id/access-tokens", method = "post", operation_id = "meetings.tokens_create")]
    async fn create(
        &self,
        manager: CallerOrKey,
        id: Path<Id>,
        body: JsonBody<AccessTokenCreate>,
    ) -> Result<Reply<AccessTokenCreated>> {
        self.guard(&manager, id.0.0).await?;
        let body = body.0;
        let expires_in = body.expires_in.unwrap_or(LONGEST_LIFE_S);
        let new = NewAccess {
            name: body.name,
            can_publish: body.can_publish.unwrap_or(true),
            can_subscribe: body.can_subscribe.unwrap_or(true),
            can_publish_data: body.can_publish_data.unwrap_or(true),
            hidden: body.hidden.unwrap_or(false),
            expires_in_s: expires_in,
            max_uses: body.max_uses,
        };
        let (row, token) = access::create(&self.app, &manager.0, id.0.0, new).await?;
        let data = AccessTokenCreated {
            token,
            token_id: row.token_id,
            meeting_id: row.meeting_id,
            name: row.name,
            can_publish: row.can_publish,
            can_subscribe: row.can_subscribe,
            can_publish_data: row.can_publish_data,
            hidden: row.hidden,
            expires_in,
            expires_at: row.expires_at,
            max_uses: row.max_uses,
        };
        Ok(Reply::with("Access token created successfully", data))
    }

    /// List the meeting's access tokens
    #[oai(path = "/:id/access-tokens", method = "get", operation_id = "meetings.tokens_list")]
    async fn list(&self, manager: CallerOrKey, id: Path<Id>) -> Result<Reply<AccessTokenList>> {
        self.guard(&manager, id.0.0).await?;
        let rows = access::list(&self.app, &manager.0, id.0.0).await?;
        let access_tokens: Vec<_> = rows.into_iter().map(AccessTokenView::from).collect();
        let total = i64::try_from(access_tokens.len()).unwrap_or(i64::MAX);
        Ok(Reply::new(AccessTokenList { access_tokens, total }))
    }

    /// Revoke an access token and end its guests' sessions
    #[oai(
        path = "/:id/access-tokens/:token_id",
        method = "delete",
        operation_id = "meetings.tokens_revoke"
    )]
    async fn revoke(
        &self,
        manager: CallerOrKey,
        id: Path<Id>,
        token_id: Path<String>,
    ) -> Result<Reply<Empty>> {
        self.guard(&manager, id.0.0).await?;
        access::revoke(&self.app, &manager.0, id.0.0, &token_id.0).await?;
        Ok(Reply::message("Access token revoked successfully"))
    }
}

impl TokensApi {
    async fn guard(&self, manager: &CallerOrKey, id: MeetingId) -> Result<()> {
        match &manager.0 {
            Manager::Person(who) => guarded(&self.app, who, id).await.map(drop),
            Manager::Key => Ok(()),
        }
    }
}
