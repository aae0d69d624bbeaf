/*
 * The words about personal data: the consent before it leaves the phone, the privacy notice, the deletion of the account.
 * They say what docs/explanation/privacy.md says. Whoever changes what they mean changes VERSION in utils/privacy.js,
 * so that everybody is asked again, and the guide in WeChat's console (docs/how-to/release-the-mini-program.md).
 */
const zh = {
  consent: {
    title: '使用个人信息前，请您阅读',
    points: [
      '注册需要姓名、证件和手机号，用于与国家政务服务平台核对身份、判定吉祥码；手机号也用于变码的短信通知，可随时关闭。',
      '健康申报和登记的体温只用于判定吉祥码和疫情防控。查验只记次数，不记录查验了谁；红码和隔离中的橙码，另记当天首次被查验的小时。',
      '姓名、证件号码和手机号加密保存。您可以查看谁看过记录、申请纠错、随时注销账号。',
      '不满十四周岁的，须由父母或其他监护人阅读并同意。',
    ],
    notice: '个人信息处理说明',
    guide: '微信《用户隐私保护指引》',
    agree: '同意并继续',
    refuse: '不同意',
    free: '不同意也可以浏览首页和说明；注册和申报离不开这些信息。',
  },
  privacy: {
    title: '个人信息处理说明',
    version: '版本',
    sections: [
      {
        heading: '谁在处理',
        lines: ['本小程序由吉林省网上办事大厅运营。对个人信息有疑问或投诉，请拨打 12345。'],
      },
      {
        heading: '处理什么，为什么',
        lines: [
          '姓名、证件类型和号码、手机号：核对身份。手机号可以手动填写，也可以授权使用微信手机号。',
          '健康申报的症状和接触史、查验点登记的体温：判定吉祥码。这些是敏感个人信息，每次申报都会请您单独确认。',
          '手机号还用于短信通知：微信没有提醒到您时，告知吉祥码有变化。可以随时在“订阅提醒”中关闭，或回复 T 退订。',
          '扫场所码：到访的入口和时间只保存在您的手机上，{visits_kept_days} 天后删除，您可随时删除；服务器只按小时计数，不记录是谁。',
          '微信的用户标识（openid）：免密登录，发送您订阅的变码提醒。不读取昵称、头像和位置。',
          '红码和须隔离的橙码：移交医院和社区。其被查验的，您所在辖区的跟进人员看到当天首次被查验的小时和编号，看不到地点。',
          '关注了公众号的：以微信 unionid 的散列值认出是您，提醒吉祥码有变化，不含颜色和姓名；取消关注即停止并删除。',
          '纠错申请的文字和附件：供工作人员核对。',
        ],
      },
      {
        heading: '提供给谁',
        lines: [
          '国家政务服务平台：姓名、证件、手机号和申报内容，用于核验。',
          '微信：您订阅后，变码提醒的颜色、原因和时间。',
          '短信服务商：手机号；短信内容固定，不含颜色、姓名和链接。',
          '工作人员和审计员：因公务且选择原因后方可查阅，每次都有记录，您在“谁看过我的记录”中可以看到。',
        ],
      },
      {
        heading: '保存多久',
        lines: [
          '发过短信的号码只保存其散列值，几天后删除；退订的保存一年。',
          '身份信息保存到您注销账号为止。纠错的文字和附件在办结 90 天后删除。登录过但没有注册的，90 天后删除。',
          '移交医院和社区的任务在结束 90 天后删除；被查验的小时 {alerts_kept_days} 天后，或注销时删除。',
          '判定及其依据依照疫情防控的规定保留，注销后不含您的姓名和号码。',
        ],
      },
      {
        heading: '家人',
        lines: [
          '您的码只在您同意后才能由家人在其手机上出示：其看到颜色和原因，看不到依据和历史；变码时其也会收到提醒。',
          '邀请只保存证件和姓名的散列值，7 天后失效；不论有没有这个人，答复都一样。',
          '您可以查看谁可出示、每天出示几次，随时结束；结束的记录 30 天后删除。',
        ],
      },
      {
        heading: '您的权利',
        lines: [
          '查看：吉祥码、变码记录、谁看过我的记录。',
          '更正：申请纠错，24 小时内答复。',
          '撤回：在微信的小程序设置中撤回手机号授权，手机号立即删除。',
          '删除：注销账号，立即生效。',
        ],
      },
      {
        heading: '监护人须知',
        lines: [
          '不满十四周岁的，须由父母或其他监护人同意，并代为注册和申报；用孩子的证件注册，密码由监护人保管。',
          '监护人可以在自己的“家人”中添加孩子，由国家平台核实监护关系；孩子的码由监护人申报和出示，到 18 周岁为止。',
          '每个微信只能注册一个账号：也可用孩子或另一位家人的微信注册。之后监护人也可以在自己的微信里，用孩子的用户名和密码登录。',
          '监护人可以代为查看、申请纠错、注销账号；发现他人用孩子的证件注册的，请拨打 12345。',
          '照护老人或其他需要帮助的人，同样适用。',
        ],
      },
    ],
    guide: '查看微信《用户隐私保护指引》',
    erase: '注销账号',
  },
  erase: {
    title: '注销账号',
    goneTitle: '将立即删除',
    gone: ['姓名、手机号、证件号码', '用户名、密码和微信绑定', '纠错申请的文字和附件，订阅记录'],
    keptTitle: '继续保留，不含姓名和号码',
    kept: ['隔离等防控措施继续有效，不因注销而结束', '判定及其依据', '审计记录'],
    after: '所有设备退出。以后用同一证件注册，即可恢复。',
    password: '密码',
    passwordHint: '用密码确认，或用微信确认',
    submit: '注销账号',
    byWeChat: '用微信确认并注销',
    ask: '注销后不能撤回，确定吗？',
    yes: '注销',
    cancel: '再想想',
    done: '已注销',
    close: '知道了',
  },
};

const en = {
  consent: {
    title: 'Before your data is used, please read',
    points: [
      'Registering needs name, document and phone: to verify with the national platform who you are, and to decide your code; the phone also for text messages about changes, which you can switch off.',
      'Declarations and registered temperatures are used for your code and against epidemics alone. Checks are counted, without a note of whom; of a red code, or an orange one under quarantine, the hour of the first check of a day is noted.',
      'Name, document number and phone are kept encrypted. You can see who accessed your record, appeal, and delete your account at any time.',
      'For a child under fourteen, a parent or another guardian has to read and agree.',
    ],
    notice: 'How personal data is handled',
    guide: 'The privacy guide in WeChat',
    agree: 'Agree and go on',
    refuse: 'Do not agree',
    free: 'Without it you can read the home page and this notice; registering and declaring need the data.',
  },
  privacy: {
    title: 'Personal data',
    version: 'Version',
    sections: [
      {
        heading: 'Who handles it',
        lines: ['The Jilin Provincial Online Government Service Hall runs this mini-program. For questions and complaints call 12345.'],
      },
      {
        heading: 'What, and for what',
        lines: [
          'Name, document and phone: to verify who you are. The phone can be typed in, or given by WeChat if you allow it.',
          'Symptoms and contacts that you declare, temperatures that a station registers: to decide your code. These are sensitive; each declaration asks for your consent.',
          'The phone also for text messages: when WeChat could not remind you, one says that your code changed. Switch them off under “Reminders” at any time, or reply T.',
          'Venue codes: the entrance and the minute are kept on your phone alone, for {visits_kept_days} days, and you can delete them at any time; the server counts by hour and keeps nobody.',
          'Your identifier in WeChat (openid): to log you in and to send the reminders that you wanted. Nickname, picture and place are not read.',
          'A red code, or an orange one under quarantine: to hand you over to a hospital and a community. If it is checked, those who follow up in your district see the hour of the first check of a day and a number, and not where.',
          'If you follow our official account: a hash of your WeChat unionid, to say that your code changed, without color and name. It ends, and is deleted, when you unfollow.',
          'Text and attachments of appeals: for the officers who resolve them.',
        ],
      },
      {
        heading: 'Who receives it',
        lines: [
          'The national platform: name, document, phone and declaration, to verify them.',
          'WeChat: color, reason and time of a change, once you have asked for reminders.',
          'The gateway for text messages: the phone; the text is fixed, without color, name or link.',
          'Health officers and auditors: for a reason of their duty; each access is recorded, and shown to you under “Who saw my record”.',
        ],
      },
      {
        heading: 'How long',
        lines: [
          'Of a number that got a text message a hash alone, for some days; for a year where somebody replied T.',
          'Who you are: until you delete your account. Appeals: 90 days after the answer. Who logged in and never registered: 90 days.',
          'The hand-over to a hospital and a community: 90 days after its end. The hour of a check: {alerts_kept_days} days, or until you delete your account.',
          'Decisions and their evidence stay as the rules against epidemics require; after a deletion without your name and numbers.',
        ],
      },
      {
        heading: 'Families',
        lines: [
          'Your code is shown by somebody of your family only after you agree: they see its color and reason, not its evidence and history, and get reminders of its changes.',
          'An invitation is kept as hashes of document and name, for 7 days; it is answered alike whether there is such a person or not.',
          'You see who may show your code, and how often they did, and end it at any time; what has ended is deleted after 30 days.',
        ],
      },
      {
        heading: 'Your rights',
        lines: [
          'To see: your code, its changes, and who saw your record.',
          'To correct: an appeal, answered within 24 hours.',
          'To withdraw: the phone number, in the settings of WeChat; it is deleted at once.',
          'To delete: your account, at once.',
        ],
      },
      {
        heading: 'For guardians',
        lines: [
          'For a child under fourteen a parent or another guardian agrees, registers and declares: with the child’s document, and a password that the guardian keeps.',
          'A guardian can add the child under Family, as the national platform confirms; the guardian declares for it and shows its code, until the age of 18.',
          'Each WeChat user can register one account: you can also use the child’s WeChat or that of another relative. Afterwards the guardian can log in on their own WeChat, with the child’s user name and password.',
          'A guardian can read, appeal and delete for the child. If somebody else has registered with the child’s document, call 12345.',
          'The same holds for the elderly and others in your care.',
        ],
      },
    ],
    guide: 'Read the privacy guide in WeChat',
    erase: 'Delete my account',
  },
  erase: {
    title: 'Delete my account',
    goneTitle: 'Deleted at once',
    gone: ['name, phone, document number', 'user name, password, the binding to WeChat', 'text and attachments of appeals, subscriptions'],
    keptTitle: 'Kept, without name and number',
    kept: ['a quarantine or another measure goes on', 'decisions and their evidence', 'the audit'],
    after: 'All devices are logged out. Register with the same document to have your record back.',
    password: 'Password',
    passwordHint: 'to confirm, or confirm with WeChat',
    submit: 'Delete my account',
    byWeChat: 'Confirm with WeChat and delete',
    ask: 'This cannot be undone. Delete the account?',
    yes: 'Delete',
    cancel: 'Not now',
    done: 'Deleted',
    close: 'OK',
  },
};

module.exports = { zh, en };
