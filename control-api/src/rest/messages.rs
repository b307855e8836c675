//! `/api/v1/meetings/{id}/messages` and the history alias (contract 14.4, 14.7).

use super::Group;
use super::meetings::guarded;
use crate::auth::caller::Caller;
use crate::domain::messages;
use crate::domain::types::{MeetingId, UserId};
use crate::http::body::JsonBody;
use crate::http::params::{Id, Page, PageSize, Paging};
use crate::http::rules::text;
use crate::store::messages::Message;
use crate::{App, Reply, Result, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};

pub(super) struct MessagesApi {
    pub(super) app: App,
}

crate::input! {
    /// A chat message to be sent.
    pub(super) struct MessageSend {
        /// Its text.
        required content: String = text(1, messages::LONGEST);
    }
}

/// Order of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(super) enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

/// A chat message.
#[derive(Debug, Object)]
pub(super) struct MessageView {
    message_id: i64,
    meeting_id: MeetingId,
    user_id: UserId,
    username: String,
    nickname: String,
    content: String,
    timestamp: Timestamp,
}

impl From<Message> for MessageView {
    fn from(row: Message) -> Self {
        Self {
            message_id: row.message_id,
            meeting_id: row.meeting_id,
            user_id: row.user_id,
            username: row.username,
            nickname: row.nickname,
            content: row.content,
            timestamp: row.created_at,
        }
    }
}

/// One page of messages.
#[derive(Debug, Object)]
pub(super) struct MessagePage {
    messages: Vec<MessageView>,
    total: i64,
    page: i64,
    page_size: i64,
}

/// A stored message.
#[derive(Debug, Object)]
pub(super) struct Sent {
    message_id: i64,
    timestamp: Timestamp,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Group::Meetings")]
impl MessagesApi {
    /// Chat messages
    #[oai(path = "/meetings/:id/messages", method = "get", operation_id = "meetings.messages_list")]
    async fn list(
        &self,
        caller: Caller,
        id: Path<Id>,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
        order: Query<Option<Order>>,
    ) -> Result<Reply<MessagePage>> {
        let paging = Paging::new(page.0, page_size.0, 50);
        self.page(&caller, id.0.0, order.0, paging).await
    }

    /// Send a chat message
    #[oai(
        path = "/meetings/:id/messages",
        method = "post",
        operation_id = "meetings.messages_send"
    )]
    async fn send(
        &self,
        caller: Caller,
        id: Path<Id>,
        body: JsonBody<MessageSend>,
    ) -> Result<Reply<Sent>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        let message = messages::post(&self.app, &caller.0, id.0.0, &body.0.content).await?;
        let data = Sent { message_id: message.message_id, timestamp: message.created_at };
        Ok(Reply::with("Message sent successfully", data))
    }

    /// Message history of a meeting
    #[oai(
        path = "/messages/history/:meeting_id",
        method = "get",
        operation_id = "messages.history"
    )]
    async fn history(
        &self,
        caller: Caller,
        meeting_id: Path<Id>,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
    ) -> Result<Reply<MessagePage>> {
        let paging = Paging::new(page.0, page_size.0, 50);
        self.page(&caller, meeting_id.0.0, None, paging).await
    }
}

impl MessagesApi {
    async fn page(
        &self,
        caller: &Caller,
        meeting_id: MeetingId,
        order: Option<Order>,
        paging: Paging,
    ) -> Result<Reply<MessagePage>> {
        guarded(&self.app, &caller.0, meeting_id).await?;
        let newest_first = order == Some(Order::Desc);
        let (rows, total) = messages::list(
            &self.app,
            &caller.0,
            meeting_id,
            newest_first,
            paging.page_size,
            paging.offset(),
        )
        .await?;
        Ok(Reply::new(MessagePage {
            messages: rows.into_iter().map(MessageView::from).collect(),
            total,
            page: paging.page,
            page_size: paging.page_size,
        }))
    }
}
