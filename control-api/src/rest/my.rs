//! `/api/v1/my/meetings...` (contract 14.5).

use super::Group;
use super::meetings::MeetingPage;
use crate::auth::caller::Caller;
use crate::domain::types::MeetingStatus;
use crate::http::params::{Page, PageSize, Paging};
use crate::store::meetings::{Filter, Span};
use crate::{App, Reply, Result};
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

pub(super) struct MyApi {
    pub(super) app: App,
}

#[OpenApi(prefix_path = "/api/v1/my", tag = "Group::MyMeetings")]
impl MyApi {
    /// Meetings the caller created or takes part in
    #[oai(path = "/meetings", method = "get", operation_id = "my.meetings")]
    async fn meetings(
        &self,
        caller: Caller,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
        status: Query<Option<MeetingStatus>>,
        keyword: Query<Option<String>>,
    ) -> Result<Reply<MeetingPage>> {
        let paging = Paging::new(page.0, page_size.0, 20);
        let keyword = keyword.0.as_deref().filter(|word| !word.is_empty());
        let filter = Filter { status: status.0, keyword, ..own(&caller, Span::Start, paging) };
        MeetingPage::read(&self.app, &filter, paging).await.map(Reply::new)
    }

    /// The caller's meetings that are ahead
    #[oai(path = "/meetings/upcoming", method = "get", operation_id = "my.meetings_upcoming")]
    async fn upcoming(
        &self,
        caller: Caller,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
    ) -> Result<Reply<MeetingPage>> {
        let paging = Paging::new(page.0, page_size.0, 20);
        let span = Span::Upcoming(self.app.clock.now());
        MeetingPage::read(&self.app, &own(&caller, span, paging), paging).await.map(Reply::new)
    }

    /// The caller's past meetings
    #[oai(path = "/meetings/history", method = "get", operation_id = "my.meetings_history")]
    async fn history(
        &self,
        caller: Caller,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
    ) -> Result<Reply<MeetingPage>> {
        let paging = Paging::new(page.0, page_size.0, 20);
        let span = Span::Past(self.app.clock.now());
        MeetingPage::read(&self.app, &own(&caller, span, paging), paging).await.map(Reply::new)
    }
}

fn own(caller: &Caller, span: Span, paging: Paging) -> Filter<'static> {
    Filter {
        user_id: caller.0.user_id,
        all: false,
        span,
        status: None,
        keyword: None,
        limit: paging.page_size,
        offset: paging.offset(),
    }
}
