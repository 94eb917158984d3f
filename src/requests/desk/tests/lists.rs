//! Lists and counters, on both engines.

use std::collections::BTreeSet;

use super::*;
use crate::requests::desk::{
    filters::{Asked, Filters, View},
    store::{self as desk, PAGE},
};

fn filters(query: &str) -> Filters {
    let uri: axum::http::Uri = format!("/agent?{query}").parse().unwrap();
    Filters::from(axum::extract::Query::<Asked>::try_from_uri(&uri).unwrap().0)
}

async fn total(agent: &Agent, query: &str) -> desk::Total {
    let filters = filters(query);
    desk::total(agent, &filters, &desk::page(agent, &filters).await.unwrap()).await.unwrap()
}

/// The whole list, page after page; each page must be found again from the one after it.
pub async fn walk(agent: &Agent, query: &str) -> Vec<desk::Line> {
    let mut all: Vec<desk::Line> = Vec::new();
    let mut address = query.to_owned();
    loop {
        let page = desk::page(agent, &filters(&address)).await.unwrap();
        assert_eq!(page.before, !all.is_empty(), "{address}");
        if let (Some(first), true) = (page.lines.first(), page.before) {
            let back = desk::page(agent, &filters(&cursor(query, "avant", first))).await.unwrap();
            let ids = |lines: &[desk::Line]| lines.iter().map(|line| line.id).collect::<Vec<_>>();
            assert_eq!(ids(&back.lines), ids(&all[all.len() - PAGE..]), "{address}");
            assert_eq!((back.before, back.after), (all.len() > PAGE, true));
        }
        let after = page.after.then(|| page.lines.last().cloned().unwrap());
        all.extend(page.lines);
        match after {
            Some(last) => address = cursor(query, "apres", &last),
            None => return all,
        }
    }
}

fn cursor(query: &str, name: &str, line: &desk::Line) -> String {
    format!("{query}&{name}={}_{}", line.at(filters(query).sort), line.id)
}

/// 130 requests in two departments of one agent, several at the same instant, and one elsewhere.
pub async fn crowd(world: &World) -> Agent {
    for index in 0..130_i64 {
        let mut filing = world.filing(if index % 3 == 0 { "inscription-listes-electorales" } else { "acte-naissance" });
        filing.state = ["submitted", "in-progress", "incomplete", "closed"][usize::try_from(index).unwrap() % 4];
        filing.hours = index / 5 * 10;
        if index % 10 == 0 {
            filing.name = "Chantal N’Diaye-Œrtel";
        }
        filing.words = "Boulevard Émile-Zola";
        world.file(filing).await;
    }
    world.file(world.filing("encombrants")).await;
    world.agent("claire.daubigny").await
}

async fn lists(world: World) {
    let agent = crowd(&world).await;
    for (view, expected) in [("toutes", 130), ("a-traiter", 66), ("attente", 32), ("termines", 32), ("mes-dossiers", 0)]
    {
        for (sort, down) in [
            ("echeance", false),
            ("echeance-desc", true),
            ("depot", true),
            ("depot-asc", false),
            ("activite", true),
            ("activite-asc", false),
            ("nom", false),
            ("nom-desc", true),
        ] {
            let query = format!("vue={view}&tri={sort}");
            let lines = walk(&agent, &query).await;
            let key = |line: &desk::Line| match sort.split('-').next().unwrap_or_default() {
                "echeance" => format!("{:020}", line.due_at.as_microsecond()),
                "depot" => format!("{:020}", line.submitted_at.as_microsecond()),
                "activite" => format!("{:020}", line.active_at.as_microsecond()),
                _ => model::filer_key(&Answers::new(), line.filer_name.as_deref()),
            };
            let keys: Vec<(String, Uuid)> = lines.iter().map(|line| (key(line), line.id)).collect();
            let mut sorted = keys.clone();
            sorted.sort();
            if down {
                sorted.reverse();
            }
            assert_eq!(keys, sorted, "{query}");
            assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), expected, "{query}");
            assert_eq!(usize::try_from(total(&agent, &query).await.many).unwrap(), expected.min(100), "{query}");
        }
    }
    let late = walk(&agent, "vue=retard&tri=echeance").await;
    assert!(
        !late.is_empty()
            && late
                .iter()
                .all(|line| line.due_at < agent.now && ["sent", "in-progress"].contains(&line.status.as_str()))
    );
    let counts = desk::counts(&agent).await.unwrap();
    let expected =
        [(View::Todo, 66), (View::Mine, 0), (View::Waiting, 32), (View::Late, i64::try_from(late.len()).unwrap())];
    assert_eq!(counts.views, expected);
    assert_eq!(counts.failures, 0);
    searches(&world, &agent).await;
}

async fn searches(world: &World, agent: &Agent) {
    let found = async |query: &str| total(agent, query).await.many;
    // Accents, apostrophes, ligatures and case are forgiven; every word counts.
    for words in ["ndiaye%20n%27diaye", "chantal%20oertel", "CHANTAL", "N%E2%80%99Diaye", "%C5%93rtel%20emile%20zola"] {
        let expected = if words.starts_with("ndiaye") { 0 } else { 13 };
        assert_eq!(found(&format!("q={words}")).await, expected, "{words}");
    }
    assert_eq!(found("q=zola&demarche=acte-naissance").await, 86);
    assert_eq!(found("q=%25").await, 0);
    // Letters that are signs, marks or unassigned elsewhere: circled, New Tai Lue, Adlam.
    for letter in ["\u{24d0}", "\u{19b1}", "\u{1e922}", "\u{1f150}"] {
        assert_eq!(found(&format!("q={}", crate::platform::encode(&format!("zola b{letter}b")))).await, 0, "{letter}");
    }
    assert_eq!(found("q=zola&affecte=moi").await, 0);
    assert_eq!(found("q=zola&affecte=personne&statut=sent").await, 33);
    let line = desk::page(agent, &filters("vue=toutes")).await.unwrap().lines.remove(0);
    assert_eq!(found(&format!("q={}", line.reference.to_lowercase().replace('-', "%20"))).await, 1);
    // Who may not see the content finds names only.
    let reader = Agent {
        memberships: agent
            .memberships
            .iter()
            .cloned()
            .map(|member| agents::Membership { role: agents::Role::Reader, ..member })
            .collect(),
        ..agent.clone()
    };
    assert_eq!(total(&reader, "q=zola").await.many, 0);
    assert_eq!(total(&reader, "q=chantal").await.many, 13);
    assert_eq!(total(&reader, "personne=chantal").await.many, 13);
    // Pages of a search, newest first, without end or doubles; and counting stops.
    let all = walk(agent, "q=zola").await;
    assert_eq!((all.len(), total(agent, "q=zola").await), (130, desk::Total { many: 100, more: true }));
    assert!(all.windows(2).all(|pair| pair[0].submitted_at >= pair[1].submitted_at));
    assert_eq!(walk(agent, "q=zola&vue=termines").await.len(), 32);
    messages(world, agent, all[40].id).await;
    narrowed(agent, &found).await;
    // An agent without department sees nothing.
    let nobody = Agent { memberships: Vec::new(), ..world.agent("claire.daubigny").await };
    assert!(desk::page(&nobody, &filters("vue=toutes")).await.unwrap().lines.is_empty());
    let counts = desk::counts(&nobody).await.unwrap();
    assert!(counts.views.iter().all(|(_, many)| *many == 0) && counts.failures == 0);
}

/// What a message says is found by its inflections, and goes with the request.
async fn messages(world: &World, agent: &Agent, id: Uuid) {
    let db = &world.visit.db;
    let message = store::NewMessage {
        id: world.visit.id(),
        author: "usager",
        author_id: None,
        internal: false,
        body: "L’élagage des platanes",
    };
    db.write(async |tx: &mut Tx| store::write(tx, id, &message, world.visit.now).await).await.unwrap();
    for words in ["q=platane", "q=ELAGAGES%20zola", "q=platanes&personne=chantal", "q=platanes&personne=zoe"] {
        let lines = desk::page(agent, &filters(words)).await.unwrap().lines;
        let ours = lines.iter().map(|line| line.id).collect::<Vec<_>>();
        let name =
            desk::page(agent, &filters("vue=toutes&q=platane")).await.unwrap().lines[0].filer_name.clone().unwrap();
        let expected = match words.split_once("personne=") {
            Some((_, person)) => name.to_lowercase().starts_with(if person == "zoe" { "zoé" } else { person }),
            None => true,
        };
        assert_eq!(ours, if expected { vec![id] } else { Vec::new() }, "{words}");
    }
    assert!(traces(db).await > 0);
    db.write(async |tx: &mut Tx| {
        tx.run(sql!("delete from request where authority_id = $1 and id = $2"), args![tx.authority(), id]).await
    })
    .await
    .unwrap();
    assert!(desk::page(agent, &filters("q=platane")).await.unwrap().lines.is_empty());
    assert_eq!(traces(db).await, 0, "not even in the index");
}

/// Pieces of the index that hold a word of the message, as bytes.
async fn traces(db: &db::Db) -> i64 {
    if db.engine() == "sqlite" {
        let query = "select count(*) from request_fts_data where instr(block, cast('platan' as blob)) > 0";
        return db.one(db::Query::new(query), args![]).await.unwrap();
    }
    let sql = sql!("select count(*) from request_search where authority_id = $1 and messages like '%platan%'");
    db.one(sql, args![db.authority()]).await.unwrap()
}

/// The criteria, together and apart.
async fn narrowed(agent: &Agent, found: &impl AsyncFn(&str) -> i64) {
    let lines = walk(agent, "vue=toutes").await;
    let day = |line: &desk::Line| line.submitted_at.to_zoned(agent.site.zone.clone()).date();
    let middle = day(&lines[60]);
    let count =
        |keep: &dyn Fn(&desk::Line) -> bool| i64::try_from(lines.iter().filter(|line| keep(line)).count()).unwrap();
    let since = format!("du={middle}");
    assert_eq!(found(&format!("vue=toutes&{since}")).await, count(&|line| day(line) >= middle));
    let only = format!("vue=toutes&{since}&au={}", middle.strftime("%d/%m/%Y"));
    assert_eq!(found(&only).await, count(&|line| day(line) == middle));
    assert_eq!(found(&format!("{only}&q=zola")).await, count(&|line| day(line) == middle));
    assert_eq!(found("vue=toutes&du=hier").await, count(&|_| true).min(100), "a wrong date narrows nothing");
    let late = |line: &desk::Line| !line.ended && line.due_at < agent.now && line.status != "action-needed";
    assert_eq!(found("vue=toutes&delai=retard").await, count(&late));
    let ours: Vec<&str> = agent.memberships.iter().map(|one| one.department_id.as_str()).collect();
    let mut sum = 0;
    for department in &ours {
        sum += found(&format!("vue=toutes&service={department}")).await;
    }
    assert_eq!(sum, count(&|_| true));
    assert_eq!(found("vue=toutes&service=dechets").await, 0, "another department is not theirs to ask for");
    assert_eq!(found(&format!("vue=toutes&affecte={}", agent.account.id)).await, 0);
}

#[tokio::test]
async fn lists_on_sqlite() {
    lists(World::new(db::testing::sqlite()).await).await;
}

#[tokio::test]
async fn lists_on_postgres() {
    lists(World::new(db::testing::postgres().await).await).await;
}

/// Each order is read from its index: nothing is sorted but the few keys of a page.
#[tokio::test]
async fn each_order_has_its_index() {
    let world = World::sqlite().await;
    let agent = world.agent("nadia.benali").await;
    for (sort, index) in [
        ("echeance", "request_desk "),
        ("depot", "request_desk_sent "),
        ("activite", "request_desk_active "),
        ("nom", "request_desk_name "),
    ] {
        for address in
            [format!("/agent?vue=termines&tri={sort}"), format!("/agent?vue=toutes&tri={sort}&apres=1_{}", Uuid::nil())]
        {
            let (_, plans) = crate::requests::explain(&agent, &address).await.unwrap();
            assert!(plans.iter().all(|plan| plan.contains(index)), "{address}: {plans:#?}");
        }
    }
    let state = "/agent?vue=toutes&demarche=acte-naissance&etat=submitted";
    let (_, plans) = crate::requests::explain(&agent, state).await.unwrap();
    assert!(plans.iter().all(|plan| plan.contains("request_desk_state ")), "{plans:#?}");
}

#[tokio::test]
async fn the_list_as_a_page() {
    let world = World::sqlite().await;
    let mut late = world.filing("acte-naissance");
    (late.name, late.hours) = ("<b>Léa</b>", 24 * 10);
    let id = world.file(late).await;
    let cookie = world.sign_in("nadia.benali").await;
    let list = world.get(&cookie, "/agent").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.text.contains("En retard de 8\u{a0}jours") && list.text.contains(&format!("{}?liste=", page(id))));
    assert!(!list.text.contains("<b>Léa</b>"), "a name is never markup");
    let wrong = world.get(&cookie, "/agent?vue=toutes&du=31/02/2026&personne=L%C3%A9a").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in ["value=\"31/02/2026\"", "value=\"Léa\"", "href=\"#du\""] {
        assert!(wrong.text.contains(kept), "{kept}");
    }
    for odd in ["/agent?vue=x&vue=y", "/agent?q=%FF%00&apres=1_2&tri=z", "/agent?demarche=%00"] {
        assert_eq!(world.get(&cookie, odd).await.status, StatusCode::OK, "{odd}");
    }
}

/// From one request to the next in the list it was opened from, whatever is done meanwhile.
#[tokio::test]
async fn the_next_request() {
    let world = World::sqlite().await;
    let mut ids = Vec::new();
    for hours in [30, 20, 10] {
        let mut filing = world.filing("acte-naissance");
        (filing.hours, filing.words) = (hours, "salle");
        ids.push(world.file(filing).await);
    }
    let cookie = world.sign_in("nadia.benali").await;
    let hrefs = |text: &str, id: Uuid| text.contains(&format!("href=\"{}?liste=", page(id)));
    for (list, order) in
        [("vue=a-traiter&tri=echeance", [0, 1, 2]), ("vue=toutes&tri=depot", [2, 1, 0]), ("q=salle", [2, 1, 0])]
    {
        let middle = format!("{}?liste={}", page(ids[order[1]]), crate::platform::encode(list));
        let answer = world.get(&cookie, &middle).await;
        let next = answer.text.split("Dossier suivant").next().unwrap().rsplit("<a").next().unwrap().to_owned();
        assert!(hrefs(&next, ids[order[2]]), "{list}: {next}");
        let before = answer.text.split("Dossier précédent").next().unwrap().rsplit("<a").next().unwrap().to_owned();
        assert!(hrefs(&before, ids[order[0]]), "{list}: {before}");
        assert!(answer.text.contains("href=\"/agent?vue="), "{list}");
        let last =
            world.get(&cookie, &format!("{}?liste={}", page(ids[order[2]]), crate::platform::encode(list))).await;
        assert!(!last.text.contains("Dossier suivant") && last.text.contains("Dossier précédent"), "{list}");
    }
    // What is done there keeps the list.
    let taken = world.post(&cookie, &format!("{}/affecter?de=&liste=vue%3Dtoutes", page(ids[0])), &[]).await;
    assert!(taken.location.ends_with("?fait=affecte&liste=vue%3Dtoutes%26tri%3Ddepot"), "{}", taken.location);
    let odd = world.get(&cookie, &format!("{}?liste=%FF%26du%3D99", page(ids[0]))).await;
    assert_eq!(odd.status, StatusCode::OK);
    let bare = world.get(&cookie, &page(ids[0])).await;
    assert!(!bare.text.contains("Dossier suivant") && !bare.text.contains("?liste="));
}

/// A list under a name: one's own, or a department's by who manages it.
async fn saved_views(world: World) {
    let (claire, nadia) = (world.sign_in("claire.daubigny").await, world.sign_in("nadia.benali").await);
    let role = async |role: &'static str| {
        world
            .visit
            .db
            .write(async |tx: &mut Tx| {
                tx.run(
                    sql!("update membership set role = $1 where authority_id = $2 and department_id = 'etat-civil'"),
                    args![role, tx.authority()],
                )
                .await
            })
            .await
            .unwrap();
    };
    let ids = async || -> Vec<Uuid> {
        world
            .visit
            .db
            .all(
                sql!("select id from desk_view where authority_id = $1 order by created_at, id"),
                args![world.visit.db.authority()],
            )
            .await
            .unwrap()
    };
    role("decider").await;
    let listed = world.get(&claire, "/agent?vue=toutes&statut=sent").await;
    assert!(listed.text.contains("href=\"/agent/vues?liste=vue%3Dtoutes%26statut%3Dsent%26tri%3Ddepot\""));
    let form = |name: &'static str, department: &'static str| {
        [("nom", name), ("service", department), ("liste", "vue=toutes&statut=sent&apres=1_2")]
    };
    assert_eq!(world.post(&claire, "/agent/vues", &form(" ", "")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        world.post(&claire, "/agent/vues", &form("À moi", "")).await.location,
        "/agent?vue=toutes&statut=sent&tri=depot"
    );
    assert_eq!(world.post(&claire, "/agent/vues", &form("À tous", "etat-civil")).await.status, StatusCode::FORBIDDEN);
    role("manager").await;
    assert_eq!(world.post(&claire, "/agent/vues", &form("À tous", "etat-civil")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.post(&claire, "/agent/vues", &form("Ailleurs", "dechets")).await.status, StatusCode::FORBIDDEN);
    let there = world.get(&claire, "/agent?vue=toutes&statut=sent&tri=depot").await.text;
    assert!(there.contains("À moi") && there.contains("À tous"));
    role("decider").await;
    let theirs = world.get(&nadia, "/agent").await.text;
    assert!(theirs.contains("À tous") && !theirs.contains("À moi"));
    let all = ids().await;
    let (own, shared) = (all[0].to_string(), all[1].to_string());
    for path in ["/agent/vues/renommer", "/agent/vues/supprimer"] {
        assert_eq!(
            world.post(&nadia, path, &[("vue", &own), ("nom", "x")]).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
        assert_eq!(
            world.post(&nadia, path, &[("vue", &shared), ("nom", "x")]).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    let again = world.post(&claire, "/agent/vues/renommer", &[("vue", &own), ("nom", "")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.post(&claire, "/agent/vues/renommer", &[("vue", &own), ("nom", "Envoyées")]).await;
    assert!(world.get(&claire, "/agent/vues").await.text.contains("Envoyées"));
    world.post(&claire, "/agent/vues/supprimer", &[("vue", &own)]).await;
    assert_eq!(ids().await.len(), 1);
}

#[tokio::test]
async fn saved_views_on_sqlite() {
    saved_views(World::new(db::testing::sqlite()).await).await;
}

#[tokio::test]
async fn saved_views_on_postgres() {
    saved_views(World::new(db::testing::postgres().await).await).await;
}
