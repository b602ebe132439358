//! Small documents, and what becomes of the part that is mended. Each was compared with what npm's
//! `mjml` 4.18.0 makes of it.

use crate::{
    compose::mjml::{Options, Origin, Purpose, Validation, render},
    error::Error,
    place::Text,
};

fn page(body: &str) -> String {
    let source = format!("<mjml>{body}</mjml>");
    let text = Text::new("a.mjml", source.as_str());
    let options = Options {
        validation: Validation::Soft,
        purpose: Purpose::Template,
        language: None,
        include: &|_| Err(Error::data("there is no file")),
    };
    let rendered = render(&source, Origin::File(&text), options);
    rendered.expect("renders").0
}

/// What is shown, the body, where the part begins and ends, and the part.
const CASES: &[[&str; 5]] = &[
    [
        r#"a picture has borders at each side, a titled link, sizes and a whole height"#,
        r#"<mj-body><mj-section><mj-column><mj-image src='a.png' href='b' title='T' sizes='50vw' border='1px solid red' border-left='2px solid' border-top='none' height='20.5px' padding='0'/></mj-column></mj-section></mj-body>"#,
        r#"<a "#,
        r#"</a>"#,
        r#"<a href="b" target="_blank" title="T"><img height="20" src="a.png" title="T" width="597" style="border:1px solid red;border-left:2px solid;border-top:none;display:block;outline:none;text-decoration:none;height:20.5px;width:100%;font-size:13px;" sizes="50vw" alt="" /></a>"#,
    ],
    [
        r#"percents of a padding are counted as pixels and shown as percents"#,
        r#"<mj-body><mj-section><mj-column><mj-image src='a.png' padding='10px 5%'/></mj-column></mj-section></mj-body>"#,
        r#"<td align="center""#,
        r#"</td>"#,
        r#"<td align="center" style="font-size:0px;padding:10px 5%;word-break:break-word;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" style="border-collapse:collapse;border-spacing:0px;"><tbody><tr><td style="width:590px;"><img height="auto" src="a.png" width="590" style="border:0;display:block;outline:none;text-decoration:none;height:auto;width:100%;font-size:13px;" alt="" /></td>"#,
    ],
    [
        r#"lengths without a unit, and odd spaces, count"#,
        r#"<mj-body><mj-section><mj-column><mj-image src='a.png' padding=' 1px  20 '/></mj-column></mj-section></mj-body>"#,
        r#"<td align="center""#,
        r#"</td>"#,
        r#"<td align="center" style="font-size:0px;padding:1px 20;word-break:break-word;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" style="border-collapse:collapse;border-spacing:0px;"><tbody><tr><td style="width:560px;"><img height="auto" src="a.png" width="560" style="border:0;display:block;outline:none;text-decoration:none;height:auto;width:100%;font-size:13px;" alt="" /></td>"#,
    ],
    [
        r#"a picture is as wide as there is room in whole pixels"#,
        r#"<mj-body><mj-section><mj-column width='24.99%'><mj-image src='a.png' padding='0'/></mj-column></mj-section></mj-body>"#,
        r#"<td style="width"#,
        r#"</td>"#,
        r#"<td style="width:149px;"><img height="auto" src="a.png" width="149" style="border:0;display:block;outline:none;text-decoration:none;height:auto;width:100%;font-size:13px;" alt="" /></td>"#,
    ],
    [
        r#"borders count by their first number"#,
        r#"<mj-body><mj-section border='thin solid 3px'><mj-column inner-border-left='2px solid red' padding='1px'><mj-image src='a.png' padding='0' border='solid 2px'/></mj-column></mj-section></mj-body>"#,
        r#"<td style="border:thin"#,
        r#"</td>"#,
        r#"<td style="border:thin solid 3px;direction:ltr;font-size:0px;padding:20px 0;text-align:center;"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation"><tr><![endif]--><!--[if mso | IE]><td style="vertical-align:top;width:594px;"><![endif]--><div class="mj-outlook-group-fix mj-column-per-100" style="font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:100%;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%"><tbody><tr><td style="vertical-align:top;padding:1px;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%" style="border-left:2px solid red;"><tbody><tr><td align="center" style="font-size:0px;padding:0px;word-break:break-word;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" style="border-collapse:collapse;border-spacing:0px;"><tbody><tr><td style="width:586px;"><img height="auto" src="a.png" width="586" style="border:solid 2px;display:block;outline:none;text-decoration:none;height:auto;width:100%;font-size:13px;" alt="" /></td>"#,
    ],
    [
        r#"the link in a button is as wide as there is room"#,
        r#"<mj-body><mj-section><mj-column><mj-button href='a' title='T' width='200' border='3px solid' inner-padding='5px 5%'>x</mj-button></mj-column></mj-section></mj-body>"#,
        r#"<a "#,
        r#"</a>"#,
        r#"<a href="a" target="_blank" style="display:inline-block;width:184px;background:#414141;color:#ffffff;font-family:Ubuntu, Helvetica, Arial, sans-serif;font-size:13px;font-weight:normal;line-height:120%;margin:0;text-decoration:none;text-transform:none;padding:5px 5%;mso-padding-alt:0px;border-radius:3px;" title="T">x</a>"#,
    ],
    [
        r#"the cell of a button without a background has no color"#,
        r#"<mj-body><mj-section><mj-column><mj-button background-color='none'>x</mj-button></mj-column></mj-section></mj-body>"#,
        r#"<td align="center" role"#,
        r#">"#,
        r#"<td align="center" role="presentation" valign="middle" style="border:none;border-radius:3px;cursor:auto;mso-padding-alt:10px 25px;background:none;">"#,
    ],
    [
        r#"a divider is whole percents wide for Outlook"#,
        r#"<mj-body><mj-section><mj-column><mj-divider width='33.3%' padding='0 10%'/></mj-column></mj-section></mj-body>"#,
        r#"</p>"#,
        r#"</table>"#,
        r#"</p><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" width="191.4px" style="border-top:solid 4px #000000;font-size:1px;margin:0px auto;width:191.4px;"><tr><td style="height:0;line-height:0;">&nbsp;</td></tr></table>"#,
    ],
    [
        r#"a divider is wide as its room for Outlook when it says nothing that is known"#,
        r#"<mj-body><mj-section><mj-column><mj-divider width='auto'/></mj-column></mj-section></mj-body>"#,
        r#"</p>"#,
        r#"</table>"#,
        r#"</p><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" width="550px" style="border-top:solid 4px #000000;font-size:1px;margin:0px auto;width:550px;"><tr><td style="height:0;line-height:0;">&nbsp;</td></tr></table>"#,
    ],
    [
        r#"cells of a table stay apart when there is space between them"#,
        r#"<mj-body><mj-section><mj-column><mj-table role='none' width='200px' cellspacing='2'></mj-table></mj-column></mj-section></mj-body>"#,
        r#"<table border="0" cellpadding="0" cellspacing="2""#,
        r#">"#,
        r#"<table border="0" cellpadding="0" cellspacing="2" width="200" style="color:#000000;font-family:Ubuntu, Helvetica, Arial, sans-serif;font-size:13px;line-height:22px;table-layout:auto;width:200px;border:none;border-collapse:separate;" role="none">"#,
    ],
    [
        r#"cells of a table with a border do not"#,
        r#"<mj-body><mj-section><mj-column><mj-table border='1px solid'></mj-table></mj-column></mj-section></mj-body>"#,
        r#"<table border="0" cellpadding="0" cellspacing="0" width="100%" style="color"#,
        r#">"#,
        r#"<table border="0" cellpadding="0" cellspacing="0" width="100%" style="color:#000000;font-family:Ubuntu, Helvetica, Arial, sans-serif;font-size:13px;line-height:22px;table-layout:auto;width:100%;border:1px solid;">"#,
    ],
    [
        r#"a gap is above all sections of a wrapper but the first"#,
        r#"<mj-body><mj-wrapper gap='7px' padding='0'><mj-section background-color='red'/><mj-section background-color='blue' padding='1px'/></mj-wrapper></mj-body>"#,
        r#"<body"#,
        r#"</body>"#,
        r#"<body style="word-spacing:normal;"><div aria-roledescription="email" role="article" lang="und" dir="auto"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" width="600" style="width:600px;"><tr><td style="line-height:0px;font-size:0px;mso-line-height-rule:exactly;"><![endif]--><div style="margin:0px auto;max-width:600px;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" style="width:100%;"><tbody><tr><td style="direction:ltr;font-size:0px;padding:0px;text-align:center;"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation"><tr><td width="600px"><![endif]--><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" width="600" style="width:600px;"><tr><td style="line-height:0px;font-size:0px;mso-line-height-rule:exactly;"><![endif]--><div style="background:red;background-color:red;margin:0px auto;max-width:600px;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" style="background:red;background-color:red;width:100%;"><tbody><tr><td style="direction:ltr;font-size:0px;padding:20px 0;text-align:center;"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation"><tr><![endif]--><!--[if mso | IE]></tr></table><![endif]--></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><![endif]--><!--[if mso | IE]></td></tr><tr><td width="600px"><![endif]--><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" width="600" style="width:600px;padding-top:7px;"><tr><td style="line-height:0px;font-size:0px;mso-line-height-rule:exactly;"><![endif]--><div style="background:blue;background-color:blue;margin:0px auto;max-width:600px;margin-top:7px;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" style="background:blue;background-color:blue;width:100%;"><tbody><tr><td style="direction:ltr;font-size:0px;padding:1px;text-align:center;"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation"><tr><![endif]--><!--[if mso | IE]></tr></table><![endif]--></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><![endif]--><!--[if mso | IE]></td></tr></table><![endif]--></td></tr></tbody></table></div><!--[if mso | IE]></td></tr></table><![endif]--></div></body>"#,
    ],
    [
        r#"a full width has no corners"#,
        r#"<mj-body><mj-section full-width='full-width' border-radius='4px' css-class='c'/></mj-body>"#,
        r#"<table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" class="c""#,
        r#">"#,
        r#"<table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" class="c" style="width:100%;">"#,
    ],
    [
        r#"a background stands at whole percents"#,
        r#"<mj-body><mj-section background-url='a.png' background-size='cover' background-repeat='no-repeat' background-position='80% 12.5%'/></mj-body>"#,
        r#"<v:fill"#,
        r#"/>"#,
        r#"<v:fill position="0.3, -0.38" origin="0.3, -0.38" src="a.png" size="1,1" type="frame" aspect="atleast" />"#,
    ],
    [
        r#"columns of a group are whole pixels wide for Outlook and whole percents on a phone"#,
        r#"<mj-body><mj-section padding='0'><mj-group><mj-column padding='1px'/><mj-column/><mj-column/><mj-column/><mj-column/><mj-column/><mj-column/></mj-group></mj-section></mj-body>"#,
        r#"<div class="mj-column-per-100"#,
        r#"</div>"#,
        r#"<div class="mj-column-per-100 mj-outlook-group-fix" style="font-size:0;line-height:0;text-align:left;display:inline-block;width:100%;direction:ltr;"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation"><tr><![endif]--><!--[if mso | IE]><td style="vertical-align:top;width:85px;"><![endif]--><div class="mj-outlook-group-fix mj-column-per-14-285714" style="font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:14%;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%"><tbody><tr><td style="vertical-align:top;padding:1px;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%"><tbody></tbody></table></td></tr></tbody></table></div>"#,
    ],
    [
        r#"a group has a class of whole percents"#,
        r#"<mj-body><mj-section><mj-group width='66.7%' border='1px solid'><mj-column width='50.5px'/></mj-group></mj-section></mj-body>"#,
        r#"<div class="mj-column"#,
        r#"</div>"#,
        r#"<div class="mj-column-per-66 mj-outlook-group-fix" style="font-size:0;line-height:0;text-align:left;display:inline-block;width:100%;direction:ltr;"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation"><tr><![endif]--><!--[if mso | IE]><td style="vertical-align:top;width:50px;"><![endif]--><div class="mj-outlook-group-fix mj-column-px-50" style="font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:12.5%;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%" style="vertical-align:top;"><tbody></tbody></table></div>"#,
    ],
    [
        r#"tables in a column have corners of their own"#,
        r#"<mj-body><mj-section><mj-column inner-border-radius='4px' padding='1px'/><mj-column inner-border-radius='4px'/></mj-section></mj-body>"#,
        r#"<div class="mj-outlook"#,
        r#"</div>"#,
        r#"<div class="mj-outlook-group-fix mj-column-per-50" style="font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:100%;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%"><tbody><tr><td style="vertical-align:top;padding:1px;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%" style="border-radius:4px;border-collapse:separate;"><tbody></tbody></table></td></tr></tbody></table></div>"#,
    ],
    [
        r#"a hero has corners and counts its height"#,
        r#"<mj-body><mj-hero border-radius='4px' height='100' padding='5% 10px' align='left'/></mj-body>"#,
        r#"<tr style="vertical-align:top"#,
        r#"<table border"#,
        r#"<tr style="vertical-align:top;"><td height="90" style="background:#ffffff;background-position:center center;background-repeat:no-repeat;border-radius:4px;padding:5% 10px;vertical-align:top;height:90px;"><!--[if mso | IE]><table border"#,
    ],
    [
        r#"a fluid hero is as high as its picture"#,
        r#"<mj-body><mj-hero mode='fluid-height' background-width='300px' background-height='100px'/></mj-body>"#,
        r#"<tr style="vertical-align:top"#,
        r#"<td style="background"#,
        r#"<tr style="vertical-align:top;"><td style="mso-padding-bottom-alt:0;padding-bottom:33%;width:0.01%;" /><td style="background"#,
    ],
    [
        r#"what stands in a hero keeps off its padding"#,
        r#"<mj-body><mj-hero padding='0 20px'><mj-image src='a.png' padding='0'/></mj-hero></mj-body>"#,
        r#"<td style="width"#,
        r#"</td>"#,
        r#"<td style="width:560px;"><img height="auto" src="a.png" width="560" style="border:0;display:block;outline:none;text-decoration:none;height:auto;width:100%;font-size:13px;" alt="" /></td>"#,
    ],
    [
        r#"an icon stands at the right"#,
        r#"<mj-body><mj-section><mj-column><mj-social><mj-social-element name='x' href='u' icon-position='right' srcset='b 2x' sizes='1px' icon-size='20.5px'>X</mj-social-element></mj-social></mj-column></mj-section></mj-body>"#,
        r#"<tr><td style="vertical-align"#,
        r#"</tr></tbody></table><!--"#,
        r#"<tr><td style="vertical-align:middle;padding:4px 4px 4px 0;text-align:left;"><a href="https://twitter.com/intent/tweet?url=u" target="_blank" style="color:#333333;font-size:13px;font-family:Ubuntu, Helvetica, Arial, sans-serif;line-height:22px;text-decoration:none;">X</a></td><td style="padding:4px;vertical-align:middle;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" style="background:#000000;border-radius:3px;width:20.5px;"><tbody><tr><td style="font-size:0;height:20.5px;vertical-align:middle;width:20.5px;"><a href="https://twitter.com/intent/tweet?url=u" target="_blank"><img src="https://www.mailjet.com/images/theme/v1/icons/ico-social/twitter-x.png" width="20" style="border-radius:3px;display:block;" sizes="1px" srcset="b 2x" alt="" /></a></td></tr></tbody></table></td></tr></tbody></table><!--"#,
    ],
    [
        r#"what a social element says of itself and what its parent says go before mj-all"#,
        r#"<mj-body><mj-section><mj-column><mj-social color='red'><mj-social-element name='x' font-size='9px'>X</mj-social-element></mj-social></mj-column></mj-section></mj-body>"#,
        r#"<span"#,
        r#"</span>"#,
        r#"<span style="color:red;font-size:9px;font-family:Ubuntu, Helvetica, Arial, sans-serif;line-height:22px;text-decoration:none;">X</span>"#,
    ],
    [
        r#"a carousel shows thumbnails where they are supported"#,
        r#"<mj-body><mj-section><mj-column><mj-carousel thumbnails='supported' tb-width='5%'><mj-carousel-image src='a.png' css-class='a b'/></mj-carousel></mj-column></mj-section></mj-body>"#,
        r##"<a href="#1""##,
        r#"</a>"#,
        r##"<a href="#1" target="_blank" class="mj-carousel-thumbnail mj-carousel-00000000-thumbnail mj-carousel-00000000-thumbnail-1 a-thumbnail b-thumbnail" style="border:2px solid transparent;border-radius:6px;display:none;overflow:hidden;width:5%;"><label for="mj-carousel-00000000-radio-1"><img src="a.png" width="5" style="display:block;width:100%;height:auto;" alt="" /></label></a>"##,
    ],
    [
        r#"thumbnails are as wide as they are in MJML"#,
        r#"<mj-body><mj-section><mj-column><mj-carousel><mj-carousel-image src='a.png'/></mj-carousel></mj-column></mj-section></mj-body>"#,
        r##"<a href="#1""##,
        r#"</a>"#,
        r##"<a href="#1" target="_blank" class="mj-carousel-thumbnail mj-carousel-00000000-thumbnail mj-carousel-00000000-thumbnail-1" style="border:2px solid transparent;border-radius:6px;display:inline-block;overflow:hidden;width:110px;"><label for="mj-carousel-00000000-radio-1"><img src="a.png" width="110" style="display:block;width:100%;height:auto;" alt="" /></label></a>"##,
    ],
    [
        r#"the title of an accordion has a weight, and may be last"#,
        r#"<mj-body><mj-section><mj-column><mj-accordion font-family='A'><mj-accordion-element icon-align='top'><mj-accordion-text>b</mj-accordion-text><mj-accordion-title font-weight='bold'>a</mj-accordion-title></mj-accordion-element></mj-accordion></mj-column></mj-section></mj-body>"#,
        r#"<div class="mj-accordion-content"#,
        r#"</label>"#,
        r#"<div class="mj-accordion-content"><table cellspacing="0" cellpadding="0" style="width:100%;border-bottom:2px solid black;"><tbody><tr><td style="font-size:13px;font-family:A;line-height:1;padding:16px;">b</td></tr></tbody></table></div><div class="mj-accordion-title"><table cellspacing="0" cellpadding="0" style="width:100%;border-bottom:2px solid black;"><tbody><tr><td style="width:100%;font-size:13px;font-family:A;font-weight:bold;padding:16px;">a</td><!--[if !mso | IE]><!--><td class="mj-accordion-ico" style="padding:16px;vertical-align:top;"><img src="https://i.imgur.com/bIXv1bk.png" alt="+" class="mj-accordion-more" style="display:none;width:32px;height:32px;" /><img src="https://i.imgur.com/w4uTygT.png" alt="-" class="mj-accordion-less" style="display:none;width:32px;height:32px;" /></td><!--<![endif]--></tr></tbody></table></div></div></label>"#,
    ],
    [
        r#"raw pieces stand between links"#,
        r#"<mj-body><mj-section><mj-column><mj-navbar><mj-raw><b>1</b></mj-raw><mj-navbar-link href='a'>A</mj-navbar-link><!--2--></mj-navbar></mj-column></mj-section></mj-body>"#,
        r#"<div class="mj-inline-links"#,
        r#"</div>"#,
        r#"<div class="mj-inline-links"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center"><tr><![endif]--><b>1</b><!--[if mso | IE]><td style="padding:15px 10px;"><![endif]--><a href="a" target="_blank" class="mj-link" style="display:inline-block;color:#000000;font-family:Ubuntu, Helvetica, Arial, sans-serif;font-size:13px;font-weight:normal;line-height:22px;text-decoration:none;text-transform:uppercase;padding:15px 10px;">A</a><!--[if mso | IE]></td><![endif]--><!--2--><!--[if mso | IE]></tr></table><![endif]--></div>"#,
    ],
    [
        r#"raw pieces stand between the parts of an accordion"#,
        r#"<mj-body><mj-section><mj-column><mj-accordion><!--1--><mj-accordion-element><!--2--><mj-accordion-title>A</mj-accordion-title><!--3--><mj-accordion-text>B</mj-accordion-text></mj-accordion-element></mj-accordion></mj-column></mj-section></mj-body>"#,
        r#"class="mj-accordion""#,
        r#"</label>"#,
        r#"class="mj-accordion" style="width:100%;border-collapse:collapse;border:2px solid black;border-bottom:none;font-family:Ubuntu, Helvetica, Arial, sans-serif;"><tbody><!--1--><tr><td style="padding:0px;"><label class="mj-accordion-element" style="font-size:13px;"><!--[if !mso | IE]><!--><input type="checkbox" class="mj-accordion-checkbox" style="display:none;" /><!--<![endif]--><div><!--2--><div class="mj-accordion-title"><table cellspacing="0" cellpadding="0" style="width:100%;border-bottom:2px solid black;"><tbody><tr><td style="width:100%;font-size:13px;font-family:Ubuntu, Helvetica, Arial, sans-serif;padding:16px;">A</td><!--[if !mso | IE]><!--><td class="mj-accordion-ico" style="padding:16px;vertical-align:middle;"><img src="https://i.imgur.com/bIXv1bk.png" alt="+" class="mj-accordion-more" style="display:none;width:32px;height:32px;" /><img src="https://i.imgur.com/w4uTygT.png" alt="-" class="mj-accordion-less" style="display:none;width:32px;height:32px;" /></td><!--<![endif]--></tr></tbody></table></div><!--3--><div class="mj-accordion-content"><table cellspacing="0" cellpadding="0" style="width:100%;border-bottom:2px solid black;"><tbody><tr><td style="font-size:13px;font-family:Ubuntu, Helvetica, Arial, sans-serif;line-height:1;padding:16px;">B</td></tr></tbody></table></div></div></label>"#,
    ],
    [
        r#"a page is as wide as its author says"#,
        r#"<mj-body width='555.5px'><mj-section/></mj-body>"#,
        r#"<!--[if mso | IE]>"#,
        r#"</div>"#,
        r#"<!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" width="555" style="width:555.5px;"><tr><td style="line-height:0px;font-size:0px;mso-line-height-rule:exactly;"><![endif]--><div style="margin:0px auto;max-width:555.5px;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" align="center" style="width:100%;"><tbody><tr><td style="direction:ltr;font-size:0px;padding:20px 0;text-align:center;"><!--[if mso | IE]><table border="0" cellpadding="0" cellspacing="0" role="presentation"><tr><![endif]--><!--[if mso | IE]></tr></table><![endif]--></td></tr></tbody></table></div>"#,
    ],
];

#[test]
fn components_come_out_as_mjml_has_them() {
    for [what, body, start, end, expected] in CASES {
        let page = page(body);
        let part = page.find(start).and_then(|at| {
            let rest = &page[at..];
            let length = rest[start.len()..].find(end)? + start.len() + end.len();
            Some(&rest[..length])
        });
        assert_eq!(part, Some(*expected), "{what}\n{page}");
    }
}
