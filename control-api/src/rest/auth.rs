//! `/api/v1/auth/...` and the CSRF token (contract 14.1).

use super::Group;
use crate::auth::caller::{Anyone, MaybeCaller};
use crate::auth::keys::ACCESS_LIFE_S;
use crate::auth::{ACCESS_COOKIE, CSRF_COOKIE, csrf};
use crate::domain::accounts::{self, Registrant};
use crate::domain::identity;
use crate::domain::types::{AccountRole, UserId};
use crate::http::body::JsonBody;
use crate::http::context::{self, Context};
use crate::http::limits;
use crate::http::rules::{email, nickname, password, text, username};
use crate::store::users::User;
use crate::{App, Empty, Error, Reply, Result, Timestamp};
use poem::Request;
use poem_openapi::{Object, OpenApi};

pub(super) struct AuthApi {
    pub(super) app: App,
}

crate::input! {
    /// Body of register.
    pub(super) struct RegisterRequest {
        /// User name, unique without regard to case.
        required username: String = username();
        /// E-mail address, unique without regard to case.
        required email: String = email();
        /// Password.
        required password: String = password();
        /// Shown name; the user name when absent.
        optional nickname: Option<String> = nickname();
        /// Invitation code, where registration needs one.
        optional invite: Option<String> = text(0, 100);
    }
}

crate::input! {
    /// Body of login: `username` (or `email`) and `password`.
    pub(super) struct LoginRequest {
        /// User name or e-mail address.
        optional username: Option<String> = text(1, 254).trimmed();
        /// E-mail address, in place of `username`.
        optional email: Option<String> = text(1, 254).trimmed();
        /// Password.
        required password: String = text(0, 1024);
    }
}

crate::input! {
    /// Body of refresh.
    pub(super) struct RefreshRequest {
        /// The refresh token of login.
        required refresh_token: String = text(1, 4096);
    }
}

crate::input! {
    /// Body of logout.
    pub(super) struct LogoutRequest {
        /// A refresh token to end as well.
        optional refresh_token: Option<String> = text(0, 4096);
    }
}

/// A new account.
#[derive(Debug, Object)]
pub(super) struct Registered {
    user_id: UserId,
    username: String,
    email: String,
    nickname: String,
    created_at: Timestamp,
}

/// Who logged in.
#[derive(Debug, Object)]
pub(super) struct LoginUser {
    user_id: UserId,
    username: String,
    email: String,
    nickname: String,
    avatar_url: String,
    role: AccountRole,
}

impl From<User> for LoginUser {
    fn from(user: User) -> Self {
        Self {
            user_id: user.user_id,
            username: user.username,
            email: user.email,
            nickname: user.nickname,
            avatar_url: user.avatar_url,
            role: user.role,
        }
    }
}

/// Tokens of a login.
#[derive(Debug, Object)]
pub(super) struct LoggedIn {
    token: String,
    refresh_token: String,
    /// Life of `token` in seconds.
    expires_in: i64,
    user: LoginUser,
}

/// A new access token.
#[derive(Debug, Object)]
pub(super) struct Refreshed {
    token: String,
    /// Life of `token` in seconds.
    expires_in: i64,
}

/// A CSRF token.
#[derive(Debug, Object)]
pub(super) struct CsrfToken {
    csrf_token: String,
    /// Its life in seconds.
    expires_in: i64,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Group::Authentication")]
impl AuthApi {
    /// Register a user
    #[oai(path = "/auth/register", method = "post", operation_id = "auth.register")]
    async fn register(
        &self,
        _anyone: Anyone,
        body: JsonBody<RegisterRequest>,
    ) -> Result<Reply<Registered>> {
        let JsonBody(RegisterRequest { username, email, password, nickname, invite }) = body;
        let new = Registrant { username, email, password, nickname, invite };
        let user = accounts::register(&self.app, new).await?;
        let data = Registered {
            user_id: user.user_id,
            username: user.username,
            email: user.email,
            nickname: user.nickname,
            created_at: user.created_at,
        };
        Ok(Reply::with("User registered successfully", data))
    }

    /// Log in and obtain the JWT and the refresh token
    #[oai(path = "/auth/login", method = "post", operation_id = "auth.login")]
    async fn login(
        &self,
        context: Context,
        _anyone: Anyone,
        body: JsonBody<LoginRequest>,
    ) -> Result<Reply<LoggedIn>> {
        let LoginRequest { username, email, password } = body.0;
        let name = username.or(email).ok_or_else(|| Error::field("username", "is required"))?;
        let now = self.app.clock.now();
        let address = context.client();
        let by_address = format!("login {address}");
        self.app.limits.count(None, &by_address, limits::LOGIN_PER_ADDRESS, now)?;
        let by_name = format!("login {address} {}", name.to_lowercase());
        self.app.limits.count(Some(&context), &by_name, limits::LOGIN_PER_NAME, now)?;

        let login = accounts::login(&self.app, &name, &password).await?;
        self.set_access_cookie(&context, &login.token);
        let data = LoggedIn {
            token: login.token,
            refresh_token: login.refresh_token,
            expires_in: ACCESS_LIFE_S,
            user: login.user.into(),
        };
        Ok(Reply::with("Login successful", data))
    }

    /// Exchange the refresh token for a new JWT
    #[oai(path = "/auth/refresh", method = "post", operation_id = "auth.refresh")]
    async fn refresh(
        &self,
        context: Context,
        _anyone: Anyone,
        body: JsonBody<RefreshRequest>,
    ) -> Result<Reply<Refreshed>> {
        let token = accounts::refresh(&self.app, &body.0.refresh_token).await?;
        self.set_access_cookie(&context, &token);
        Ok(Reply::new(Refreshed { token, expires_in: ACCESS_LIFE_S }))
    }

    /// End the session and clear the cookies
    #[oai(path = "/auth/logout", method = "post", operation_id = "auth.logout")]
    async fn logout(
        &self,
        context: Context,
        caller: MaybeCaller,
        body: JsonBody<LogoutRequest>,
    ) -> Result<Reply<Empty>> {
        accounts::logout(&self.app, caller.0.as_ref(), body.0.refresh_token.as_deref()).await?;
        if self.app.config.cookie.enabled {
            context.set_cookie(ACCESS_COOKIE, "", 0, true);
            context.set_cookie(CSRF_COOKIE, "", 0, false);
        }
        Ok(Reply::message("Logged out successfully"))
    }

    /// Obtain a CSRF token
    #[oai(path = "/csrf-token", method = "get", operation_id = "csrf.token")]
    async fn csrf_token(
        &self,
        request: &Request,
        context: Context,
        _anyone: Anyone,
    ) -> Result<Reply<CsrfToken>> {
        // Bound to the session of the cookie; without one the token is good for nothing yet.
        let who = match context::cookie(request, ACCESS_COOKIE) {
            Some(token) => identity::from_jwt(&self.app, token).await.ok(),
            None => None,
        };
        let sid = who.as_ref().and_then(identity::Identity::sid);
        let csrf_token = csrf::issue(&self.app.keys, sid, self.app.clock.now());
        context.set_cookie(CSRF_COOKIE, &csrf_token, csrf::LIFE_S, false);
        Ok(Reply::new(CsrfToken { csrf_token, expires_in: csrf::LIFE_S }))
    }
}

impl AuthApi {
    fn set_access_cookie(&self, context: &Context, token: &str) {
        if self.app.config.cookie.enabled {
            context.set_cookie(ACCESS_COOKIE, token, ACCESS_LIFE_S, true);
        }
    }
}
