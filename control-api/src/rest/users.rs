//! `/api/v1/users/...` (contract 14.2).

use super::Group;
use crate::auth::caller::Caller;
use crate::domain::accounts;
use crate::domain::types::{AccountRole, AccountStatus, UserId};
use crate::http::body::JsonBody;
use crate::http::rules::{email, nickname, password, text, url};
use crate::{App, Empty, Reply, Result, Timestamp};
use poem_openapi::{Object, OpenApi};

pub(super) struct UsersApi {
    pub(super) app: App,
}

crate::input! {
    /// Changes to the own profile.
    pub(super) struct ProfileChange {
        /// Shown name.
        optional nickname: Option<String> = nickname();
        /// E-mail address.
        optional email: Option<String> = email();
        /// Address of a picture; empty takes it away.
        optional avatar_url: Option<String> = url();
    }
}

crate::input! {
    /// Body of change-password.
    pub(super) struct PasswordChange {
        /// The password until now.
        required old_password: String = text(0, 1024);
        /// The password from now on.
        required new_password: String = password();
    }
}

/// The own account.
#[derive(Debug, Object)]
pub(super) struct Profile {
    user_id: UserId,
    username: String,
    email: String,
    nickname: String,
    avatar_url: String,
    status: AccountStatus,
    role: AccountRole,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Profile {
    fn of(user: crate::store::users::User, now: Timestamp) -> Self {
        Self {
            status: user.status_at(now),
            user_id: user.user_id,
            username: user.username,
            email: user.email,
            nickname: user.nickname,
            avatar_url: user.avatar_url,
            role: user.role,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/users", tag = "Group::Users")]
impl UsersApi {
    /// Own profile
    #[oai(path = "/profile", method = "get", operation_id = "users.profile_get")]
    async fn profile(&self, caller: Caller) -> Result<Reply<Profile>> {
        let user = accounts::profile(&self.app, &caller.0).await?;
        Ok(Reply::new(Profile::of(user, self.app.clock.now())))
    }

    /// Update own profile
    #[oai(path = "/profile", method = "put", operation_id = "users.profile_update")]
    async fn update_profile(
        &self,
        caller: Caller,
        body: JsonBody<ProfileChange>,
    ) -> Result<Reply<Profile>> {
        let ProfileChange { nickname, email, avatar_url } = &body.0;
        let user = accounts::update_profile(
            &self.app,
            &caller.0,
            nickname.as_deref(),
            email.as_deref(),
            avatar_url.as_deref(),
        )
        .await?;
        let profile = Profile::of(user, self.app.clock.now());
        Ok(Reply::with("Profile updated successfully", profile))
    }

    /// Change own password
    #[oai(path = "/change-password", method = "post", operation_id = "users.change_password")]
    async fn change_password(
        &self,
        caller: Caller,
        body: JsonBody<PasswordChange>,
    ) -> Result<Reply<Empty>> {
        let PasswordChange { old_password, new_password } = &body.0;
        accounts::change_password(&self.app, &caller.0, old_password, new_password).await?;
        Ok(Reply::message("Password changed successfully"))
    }
}
