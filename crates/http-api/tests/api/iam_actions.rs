//! IAM and STS by AWS Query: XML as botocore's parser expects it (IAM API reference).

use crate::world::{Ask, Reply, World};

async fn iam(world: &World, form: &str) -> Reply {
    world.send(&Ask::action("iam", form)).await
}

#[track_caller]
fn holds(reply: &Reply, status: u16, parts: &[&str]) {
    assert_eq!(reply.status, status, "{reply:?}");
    for part in parts {
        assert!(reply.body.contains(part), "no {part} in {}", reply.body);
    }
}

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22iot.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22iot%3APublish%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";

#[tokio::test(flavor = "multi_thread")]
async fn a_role_and_its_policy_are_made_read_and_deleted() {
    let world = World::start().await;
    let made =
        iam(&world, &format!("Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument={TRUST}")).await;
    holds(
        &made,
        200,
        &[
            "<CreateRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateRoleResult><Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROA",
            "<Arn>arn:aws:iam::123456789012:role/r</Arn>",
            &format!("<AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>"),
            "<MaxSessionDuration>3600</MaxSessionDuration></Role></CreateRoleResult><ResponseMetadata><RequestId>",
        ],
    );
    assert_eq!(made.header("content-type"), "text/xml");
    let again = iam(&world, &format!("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument={TRUST}")).await;
    holds(
        &again,
        409,
        &[
            "<ErrorResponse><Error><Type>Sender</Type><Code>EntityAlreadyExists</Code><Message>Role with name r already exists.</Message></Error><RequestId>",
        ],
    );
    let put = iam(&world, &format!("Action=PutRolePolicy&RoleName=r&PolicyName=p&PolicyDocument={POLICY}")).await;
    holds(&put, 200, &["<PutRolePolicyResponse xmlns=", "<ResponseMetadata>"]);
    let read = iam(&world, "Action=GetRolePolicy&RoleName=r&PolicyName=p").await;
    holds(
        &read,
        200,
        &[
            "<GetRolePolicyResult><RoleName>r</RoleName><PolicyName>p</PolicyName>",
            &format!("<PolicyDocument>{POLICY}</PolicyDocument>"),
        ],
    );
    holds(
        &iam(&world, "Action=ListRolePolicies&RoleName=r").await,
        200,
        &["<PolicyNames><member>p</member></PolicyNames><IsTruncated>false"],
    );
    holds(&iam(&world, "Action=DeleteRole&RoleName=r").await, 409, &["<Code>DeleteConflict</Code>"]);
    holds(&iam(&world, "Action=DeleteRolePolicy&RoleName=r&PolicyName=p").await, 200, &["<DeleteRolePolicyResponse"]);
    holds(&iam(&world, "Action=GetRole&RoleName=r").await, 200, &["<GetRoleResult><Role>"]);
    holds(
        &iam(&world, "Action=ListRoles").await,
        200,
        &["<Roles><member><Path>/</Path>", "<IsTruncated>false</IsTruncated>"],
    );
    holds(&iam(&world, "Action=DeleteRole&RoleName=r").await, 200, &["<DeleteRoleResponse"]);
    let absent = iam(&world, "Action=GetRole&RoleName=r").await;
    holds(&absent, 404, &["<Code>NoSuchEntity</Code><Message>The role with name r cannot be found.</Message>"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_come_in_pages() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        holds(
            &iam(&world, &format!("Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={TRUST}")).await,
            200,
            &[],
        );
    }
    let page = iam(&world, "Action=ListRoles&MaxItems=2").await;
    holds(&page, 200, &["<RoleName>a<", "<RoleName>b<", "<IsTruncated>true</IsTruncated><Marker>b</Marker>"]);
    let page = iam(&world, "Action=ListRoles&MaxItems=2&Marker=b").await;
    holds(&page, 200, &["<RoleName>c<", "<IsTruncated>false</IsTruncated></ListRolesResult>"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_xml_too() {
    let world = World::start().await;
    holds(
        &iam(&world, "Action=CreateUser&UserName=u").await,
        501,
        &["<Code>NotImplemented</Code><Message>The action CreateUser is not implemented by Althing."],
    );
    holds(
        &iam(&world, "Action=GetRole").await,
        400,
        &["<Code>ValidationError</Code>", "Value null at &apos;roleName&apos;"],
    );
    holds(&iam(&world, "").await, 400, &["<Code>MissingAction</Code>"]);
    let malformed = iam(&world, "Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=x").await;
    holds(&malformed, 400, &["<Code>MalformedPolicyDocument</Code>"]);
    let forged = world.send(&Ask { secret: "other", ..Ask::action("iam", "Action=ListRoles") }).await;
    holds(&forged, 403, &["<Type>Sender</Type><Code>SignatureDoesNotMatch</Code>"]);
    let stranger =
        world.send(&Ask { key_id: "AKIDNOBODY0000000000", ..Ask::action("sts", "Action=GetCallerIdentity") }).await;
    holds(&stranger, 403, &["<Code>InvalidClientTokenId</Code>"]);
    let long = iam(&world, &"x".repeat(1_048_577)).await;
    holds(&long, 413, &["<Type>Sender</Type><Code>RequestEntityTooLarge</Code>", "longer than 1048576 bytes"]);
    assert_eq!(long.header("content-type"), "text/xml");
}

#[tokio::test(flavor = "multi_thread")]
async fn sts_says_who_calls_in_any_region() {
    let world = World::start().await;
    for region in ["us-east-1", "eu-west-1"] {
        let ask = Ask { region, ..Ask::action("sts", "Action=GetCallerIdentity&Version=2011-06-15") };
        holds(
            &world.send(&ask).await,
            200,
            &[
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>",
                "<Arn>arn:aws:iam::123456789012:root</Arn><UserId>123456789012</UserId><Account>123456789012</Account>",
            ],
        );
    }
}
